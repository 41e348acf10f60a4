/** What comes home, against git and the book: a target that entered a run, what was pushed, and what a pull request was told. */
import type { EventOf } from '../src/core/events.ts';
import type { RunBook } from './books.ts';
import type { Ground } from './ground.ts';
import { landingGates, requirePass, requireUnion } from './checks-merge.ts';
import type { Ledger } from './ledger.ts';
import type { Push } from './world.ts';

/** Integration moved once, from where it stood to a merge of the target as it was asked for, whose tree has passed. */
export function requireSync(ground: Ground, run: RunBook, event: EventOf<'run.synced'>): void {
  const { world, require } = ground;
  const { landing } = run;
  const { commit, tip, base } = event.data;
  require('S5', landing?.sync === true && landing.commit === commit && landing.tip === tip, () =>
    `${commit} entered ${run.id} and ${landing?.commit} was built`);
  const made = world.git.look(commit);
  require('S5', base === run.tip && made.parents[0] === base && made.parents[1] === tip, () =>
    `${commit} is no merge of ${tip} on ${base}, where integration stands at ${run.tip}`);
  const ref = `refs/czar/integration/${run.id}`;
  const moves = world.git.moves.filter((move) => move.ref === ref && move.to === commit);
  require('S5', moves.length === 1 && [base, null].includes(moves[0]?.from ?? null), () =>
    `integration was moved to ${commit} ${moves.length} times, from ${moves[0]?.from}`);
  for (const gate of landingGates(run)) requirePass(ground, run, made.tree, gate);
  requireUnion(ground, base, tip, commit);
}

/** A branch of the remote moves forward, to a tip that was merged or a commit that landed. */
export function checkPush({ world, ledger, require }: Ground, { ref, from, to }: Push): void {
  require('P21', from === null || world.git.isAncestor(from, to), () =>
    `${ref} was pushed to ${to} and loses ${from}`);
  require('P21', isHome(ledger, ref, to), () => `${ref} was pushed to ${to}, which is not merged`);
}

function isHome(ledger: Ledger, ref: string, commit: string): boolean {
  return [...ledger.runs.values()].some(
    ({ id, workers, landed }) =>
      landed.has(`${ref} ${commit}`) ||
      [...workers.values()].some(
        ({ id: worker, merged }) =>
          merged?.tip === commit && ref === `refs/heads/czar/${id}/${worker}`,
      ),
  );
}

/** It shows what is merged. */
export function checkOpened(
  { world, require }: Ground,
  run: RunBook,
  { tip }: EventOf<'pull.opened'>['data'],
): void {
  require('P20', run.pull !== null && run.tip !== null && world.git.isAncestor(tip, run.tip), () =>
    `a pull request shows ${tip} and ${run.tip} is merged`);
}

/** Each remark goes back once, while the request shows all that is merged and nobody works, to a new worker for its owner. */
export function checkSentBack(
  { require }: Ground,
  run: RunBook,
  { remarks }: EventOf<'pull.sent_back'>['data'],
): void {
  const { pull, plan } = run;
  require('P20', pull?.state === 'open' && pull.shown === run.tip, () =>
    `what was said of ${pull?.shown} is sent back and ${run.tip} is merged`);
  const most = plan.policies.maxRework ?? 3;
  const fresh = new Set<string>();
  for (const { id, owner, worker } of remarks) {
    require('P20', pull?.said.has(id) === false && !fresh.has(id), () =>
      `${id} is sent back again`);
    fresh.add(id);
    if (worker === null) continue;
    const mends = plan.workers.find((one) => one.id === worker)?.edges.map(({ on }) => on) ?? [];
    require('P20', mends.length === 1 && mends[0] === owner, () =>
      `${worker} mends ${mends.join()} and not ${owner}`);
    const rounds = new Set(
      [...(pull?.followUps ?? []), [worker, owner] as const].flatMap(([one, of]) =>
        of === owner ? [one] : [],
      ),
    );
    require('P20', pull?.followUps.has(worker) === false && rounds.size <= most, () =>
      `${worker} is round ${rounds.size} of ${most} for ${owner}`);
  }
}
