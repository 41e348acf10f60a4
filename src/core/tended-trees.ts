/** Trees that a person wants made before an attempt, or taken away after: what is asked, what is due, what became of it. */
import { of, why, type Asked } from './decide/asked.ts';
import type { Outcome } from './commands.ts';
import { accept, refuse, type Decision } from './decision.ts';
import type { EventOf, NewEvent } from './events.ts';
import { intentKey } from './intent-key.ts';
import type { Intent } from './intents.ts';
import { isFinal, isLive } from './lifecycle.ts';
import { definitionOf, isRunLive, type RunState, type WorkerState } from './state.ts';

type Tending = RunState['tending'][number];

/** Asks for the tree that the worker's first attempt will work in. */
export function makeTree(
  run: RunState,
  worker: WorkerState,
  request: Asked<'make-tree'>,
): Decision {
  const { id, state } = worker;
  if (request.there || isTended(run, id, 'made')) return accept([]);
  if (definitionOf(run, id).workspace === 'empty')
    return refuse(4, `${id} works in an empty folder: it has no tree.`, null);
  if (!isRunLive(run) || isFinal(state) || isBusy(state))
    return refuse(4, `${id} is ${state}: no tree is made for it.`, why(worker));
  const { by } = request;
  return accept([of(run, worker, { type: 'tree.requested', data: { want: 'made', by } })]);
}

/** Asks for the tree to go; what is neither merged nor kept goes only by force, and is kept. */
export function removeTree(
  run: RunState,
  worker: WorkerState,
  request: Asked<'remove-tree'>,
): Decision {
  const { id, state } = worker;
  const { there, holds, force, by } = request;
  if (isTended(run, id, 'removed')) return accept([]);
  if (!there || worker.worktree === null)
    return refuse(
      3,
      `${id} has no working tree.`,
      'czar worktree list shows those that are there.',
    );
  if (isBusy(state))
    return refuse(4, `${id} is ${state}: its tree is in use.`, `czar cancel ${id} ends it.`);
  if (isTheWork(worker))
    return refuse(4, `${id} was submitted: its tree is the work.`, `czar cancel ${id} ends it.`);
  const next = '--force keeps what is in it, then removes it.';
  if (!force && !isFinal(state))
    return refuse(4, `${id} is ${state}: it would go on in its tree.`, next);
  if (!force && holds !== null)
    return refuse(4, `The tree of ${id} holds what is neither merged nor kept: ${holds}.`, next);
  return accept([of(run, worker, { type: 'tree.requested', data: { want: 'removed', by } })]);
}

/** What is due of that now: nothing of a worker that is at work, and no tree before there is a tip to make it from. */
export function* tendingIntents(run: RunState, branch: (id: string) => string): Generator<Intent> {
  for (const { worker: id, want } of run.tending) {
    const worker = run.workers.get(id);
    if (worker === undefined || run.tip === null || isBusy(worker.state)) continue;
    if (want === 'made' && (!isRunLive(run) || isFinal(worker.state))) continue;
    if (want === 'removed' && isTheWork(worker)) continue;
    yield {
      kind: 'tend-tree',
      key: tendKey(run, worker, want),
      run: run.id,
      worker: id,
      attempt: worker.attempts,
      want,
      branch: branch(id),
      commit: run.tip,
    };
  }
}

/** Whether a person has said that the tree as it stands is the work, and it is not taken from there yet. */
function isTheWork({ submitted, state, attempt }: WorkerState): boolean {
  return submitted && !isFinal(state) && attempt?.phase !== 'collected';
}

/** Key of the effect. */
export function tendKey(run: RunState, worker: WorkerState, want: Tending['want']): string {
  return `${intentKey(run, 'tend-tree', worker)}:${want}`;
}

/** Events of a tree that is there, or gone; none when nobody waits for that any more. */
export function tended(
  run: RunState,
  worker: WorkerState,
  outcome: Extract<Outcome, { kind: 'tree-made' | 'tree-removed' }>,
): readonly NewEvent[] {
  if (outcome.kind === 'tree-removed') {
    if (!isTended(run, worker.id, 'removed')) return [];
    const { branch } = outcome;
    return [{ type: 'tree.removed', data: { worktree: worker.worktree ?? '', branch } }];
  }
  if (!isTended(run, worker.id, 'made')) return [];
  const { branch, worktree, base } = outcome;
  return [{ type: 'tree.made', data: { branch, worktree, base } }];
}

/** What is left of it after an event of the worker: an attempt that starts sees to its tree itself. */
export function tendedAfter(
  { tending }: Pick<RunState, 'tending'>,
  event: EventOf<'worker.started' | 'tree.requested' | 'tree.made' | 'tree.removed'>,
): Pick<RunState, 'tending'> | null {
  const { worker } = event;
  if (worker === undefined) return null;
  const rest = tending.filter((one) => one.worker !== worker);
  if (event.type === 'tree.requested')
    return { tending: [...rest, { worker, want: event.data.want }] };
  return rest.length === tending.length ? null : { tending: rest };
}

function isTended(run: RunState, worker: string, want: Tending['want']): boolean {
  return run.tending.some((one) => one.worker === worker && one.want === want);
}

/** Whether something works with what is in the tree, or may write into it. */
export function isBusy(state: WorkerState['state']): boolean {
  return isLive(state) || state === 'verifying' || state === 'reviewing' || state === 'merging';
}
