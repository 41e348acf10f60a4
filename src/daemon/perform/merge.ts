/** The run's repository: preparing it, merging into integration, and showing the result to the user. */
import type { Outcome } from '../../core/commands.ts';
import type { Intent } from '../../core/intents.ts';
import { admissionProblem, aheadProblem } from '../../core/schedule/admission.ts';
import { definitionOf } from '../../core/state.ts';
import { commitMerge, buildMerge } from '../../git/merging/merge.ts';
import { createIntegration, ensureMirror, fetchCommit } from '../../git/mirror.ts';
import { publish } from '../../git/publish.ts';
import { pushRefs } from '../../git/push.ts';
import { integrationRef, setRefs } from '../../git/refs.ts';
import type { EffectContext } from '../loop.ts';
import { succeed } from './succeed.ts';
import { isolationOf, treeOf, type Workplace } from '../workplace.ts';

type Of<K extends Intent['kind']> = Extract<Intent, { kind: K }>;

/** Mirror, base and integration ref. */
export async function prepareRun(place: Workplace, intent: Of<'prepare-run'>): Promise<Outcome> {
  const { run, base } = intent;
  succeed(await ensureMirror(place.git));
  succeed(await fetchCommit(place.git, { run, commit: base }));
  const { commit } = succeed(await createIntegration(place.git, { run, base }));
  return { kind: 'run-prepared', run, commit };
}

/** The merge commit off to the side, or the conflict, with the integration tip brought into the worker's clone. */
export async function build(
  place: Workplace,
  intent: Of<'build-merge'>,
  { run }: EffectContext,
): Promise<Outcome> {
  const { worker, base, tip, date } = intent;
  const { role, mission } = definitionOf(run, worker);
  const title = role ?? mission?.split('\n')[0] ?? '';
  const message = `Merge ${worker}${title === '' ? '' : `: ${title}`}`;
  const built = succeed(
    await buildMerge(place.git, {
      run: run.id,
      worker,
      base,
      tip,
      date,
      message,
      identity: place.identity,
    }),
  );
  if (built.kind === 'built') {
    return {
      kind: 'merge-built',
      run: run.id,
      worker,
      base,
      tip,
      commit: built.commit,
      tree: built.tree,
    };
  }
  const state = run.workers.get(worker);
  // A person who takes it up finds the tip here; an attempt gets the one of its own moment.
  const worktree = state === undefined ? null : treeOf(place, state);
  if (worktree !== null) {
    await isolationOf(run).offer(place.git, { run: run.id, tree: worktree, commit: base });
  }
  return {
    kind: 'merge-conflict',
    run: run.id,
    worker,
    base,
    tip,
    files: built.files,
    messages: built.messages,
  };
}

/** Moves integration to exactly the commit whose gates passed, past the merges that it stands on. */
export async function commit(place: Workplace, intent: Of<'commit-merge'>): Promise<Outcome> {
  const { run, worker, base, commit: to, admission, ahead } = intent;
  const problem = aheadProblem(ahead, intent) ?? admissionProblem(admission, intent);
  if (problem !== null) throw new Error(`S4: ${problem}`);
  const through = ahead.map((one) => one.commit);
  const done = succeed(await commitMerge(place.git, { run, base, through, commit: to, admission }));
  if (done.kind === 'lost') {
    await putBack(place, { run, base, found: done.found });
    throw new Error(
      `integration stood at ${done.found || 'nothing'} without an event; it was put back`,
    );
  }
  const workers = [...ahead.map((one) => one.worker), worker];
  const merged = done.merges.map((merge, at) => ({ worker: workers[at] ?? worker, ...merge }));
  return { kind: 'merge-committed', run, worker, commit: to, merged };
}

/** The integration ref moves by events alone: one that stands elsewhere is held under another name and put back. */
async function putBack(
  { git }: Workplace,
  { run, base, found }: { readonly run: string; readonly base: string; readonly found: string },
): Promise<void> {
  if (found !== '') await setRefs(git, new Map([[`refs/czar/stray/${run}/${found}`, found]]));
  await setRefs(git, new Map([[integrationRef(run), base]]));
}

/** Brings branches to the remote of the user's repository. */
export async function pushOut(place: Workplace, intent: Of<'push'>): Promise<Outcome> {
  const { run, refs } = intent;
  const { remote, left } = succeed(await pushRefs(place.git, refs));
  return { kind: 'pushed', run, remote, refs, left };
}

/** Brings the user's refs up to date. */
export async function show(place: Workplace, intent: Of<'publish'>): Promise<Outcome> {
  const { run, refs: wanted } = intent;
  const { refs, diverged } = succeed(await publish(place.git, { run, refs: wanted }));
  return { kind: 'published', run, refs, diverged };
}
