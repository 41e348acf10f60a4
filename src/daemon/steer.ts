/**
 * A person's request, whoever takes it: the loop that lives, or this process for a moment while none does. Both complete
 * the request with the facts that it needs and decide it in the same core.
 */
import { resolve } from 'node:path';
import type { Request, Steering } from '../core/commands.ts';
import type { FoldState } from '../core/evolve.ts';
import type { RepositoryState, RunState } from '../core/state.ts';
import type { EvaluateWhen } from '../core/advance.ts';
import { readRefIn } from '../git/refs.ts';
import { inUserRepository, type GitContext } from '../git/context.ts';
import { standsIn } from '../git/collecting/kept.ts';
import { treeFacts } from '../git/trees/tree-facts.ts';
import type { Home } from '../plan/home.ts';
import type { Journal } from '../journal/journal.ts';
import { withFollowUps } from './follow-ups.ts';
import { answerOf, type Answer } from './answer.ts';
import { lostMirror } from './lost-mirror.ts';
import { missingAgents, notInstalled, replaceable } from './missing-agents.ts';
import { planNow } from './plan-changes.ts';
import { treeHolds } from './perform/remove-tree.ts';
import { turn } from './turn.ts';
import { isolationOf } from './workplace.ts';

/** What leads to work with the mirror at once. */
const needsMirror: ReadonlySet<Steering['kind']> = new Set([
  'submit',
  'retry',
  'retry-failed',
  'unblock',
  'make-tree',
  'land',
  'sync',
]);

/** The request with its facts, or why it cannot be completed. */
export async function complete(
  {
    git,
    home,
    env,
  }: { readonly git: GitContext; readonly home: Home; readonly env: NodeJS.ProcessEnv },
  state: RepositoryState,
  steering: Steering,
): Promise<Request | Extract<Answer, { ok: false }>> {
  if (needsMirror.has(steering.kind)) {
    const lost = await lostMirror(git, state.runs.get(steering.run));
    if (lost !== null) return refusal(`${lost.what}.`, `${lost.next}.`);
  }
  switch (steering.kind) {
    case 'submit': {
      const run = state.runs.get(steering.run);
      const worker = run?.workers.get(steering.worker);
      if (run === undefined || worker?.worktree == null)
        return { ...steering, tree: { exists: false, unfinished: null } };
      const files = worker.block?.kind === 'conflict' ? worker.block.files : [];
      const tree = resolve(git.root, worker.worktree);
      const repository = isolationOf(run).repository(git, tree);
      return { ...steering, tree: await treeFacts(git, { tree, repository, files }) };
    }
    case 'land':
    case 'sync': {
      const onto = await readRefIn(inUserRepository(git), `refs/heads/${steering.target}`);
      if (onto !== null) return { ...steering, onto };
      return refusal(
        `There is no branch ${steering.target}.`,
        steering.kind === 'land'
          ? 'czar land --into BRANCH names another one.'
          : 'czar sync --from BRANCH names another one.',
      );
    }
    case 'make-tree':
    case 'remove-tree': {
      const run = state.runs.get(steering.run);
      const worker = run?.workers.get(steering.worker);
      const found =
        run === undefined || worker === undefined
          ? { there: false, holds: null }
          : await treeHolds({ git }, run, worker);
      return steering.kind === 'remove-tree'
        ? { ...steering, ...found }
        : { ...steering, there: found.there };
    }
    case 'drop-kept': {
      const run = state.runs.get(steering.run);
      const tips = [run?.tip ?? null, run?.landed?.commit ?? null].filter((one) => one !== null);
      return { ...steering, elsewhere: await standsIn(git, steering.ref, tips) };
    }
    case 'amend': {
      const run = state.runs.get(steering.run);
      if (run === undefined) return noRun(steering.run);
      const { scope } = run;
      const found = planNow({ root: git.root, home }, run, steering.sources);
      if ('problem' in found)
        return refusal(
          `The plan cannot be amended: ${found.problem}.`,
          'czar validate shows more.',
        );
      const here = { path: env['PATH'] ?? '', root: git.root };
      const absent = missingAgents(found.plan, here);
      if (absent !== null) {
        const what = `The plan cannot be amended: ${absent}.`;
        const next = notInstalled(found.plan, here);
        return { ok: false, rejection: { consequence: 'reject', exit: 2, what, ...next } };
      }
      const missing = [...replaceable(found.plan, here).keys()];
      return { kind: 'amend', run: steering.run, plan: found.plan, scope, missing };
    }
    case 'send-back': {
      const run = state.runs.get(steering.run);
      return run === undefined
        ? noRun(steering.run)
        : { ...steering, ...withFollowUps(run, steering) };
    }
    case 'request-pull':
    case 'record-pull':
    case 'retry':
    case 'retry-failed':
    case 'skip':
    case 'cancel':
    case 'answer':
    case 'unblock':
    case 'approve-path':
    case 'raise-budget':
    case 'pause':
    case 'resume':
    case 'tell':
    case 'review':
    case 'approve':
    case 'deny':
    case 'set-approval':
      return steering;
  }
}

/**
 * Decides the request and appends what follows, while no loop lives and this process holds the lock. Starts nothing:
 * what is to be done then is in the log, for the next `czar run`.
 */
export function applyOffline(
  journal: Journal,
  request: Request,
  options: { readonly now: number; readonly when: EvaluateWhen },
): { readonly answer: Answer; readonly state: RepositoryState } {
  const state: FoldState = journal.load();
  const { events, decisions } = turn(state, [{ ...request, by: 'user' }], {
    ...options,
    draining: true,
  });
  if (events.length > 0) journal.append(events, state);
  const [decision] = decisions;
  return { answer: decision === undefined ? { ok: true } : answerOf(decision), state };
}

/** Whether anything of the run is left for a loop to do. */
export function wantsLoop(run: RunState): boolean {
  return run.state === 'running' || run.landing !== null;
}

function noRun(run: string): Extract<Answer, { ok: false }> {
  const what = `There is no run ${run}.`;
  const next = 'czar status lists the runs.';
  return { ok: false, rejection: { consequence: 'reject', exit: 3, what, next } };
}

function refusal(what: string, next: string | null): Extract<Answer, { ok: false }> {
  return { ok: false, rejection: { consequence: 'reject', exit: 4, what, next } };
}
