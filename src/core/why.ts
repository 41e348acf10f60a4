/** One true sentence about why a worker is where it is: what `czar why` says. Derived from state, in every state. */
import { openAsks } from './asks.ts';
import { budgetLack } from './budget.ts';
import { edgeState, supersededBy } from './edges.ts';
import { waitingFor, type WaitingFor } from './schedule/grant.ts';
import { commitKey, intentKey } from './intent-key.ts';
import type { IntentKind } from './intents.ts';
import { definitionOf, type RepositoryState, type RunState, type WorkerState } from './state.ts';
import { lackText } from './lack-text.ts';
import { requestText } from './permissions.ts';
import { quotaUntil } from './schedule/quota.ts';
import { mergeChain, mergeIsThrough } from './schedule/merge-chain.ts';
import { merging } from './schedule/queue.ts';
import { reviewLacksBudget, reviewOutcome } from './review.ts';
import { unread } from './unread.ts';

/** The sentence. `now` is milliseconds since 1970. */
export function why(
  state: RepositoryState,
  run: RunState,
  worker: WorkerState,
  now: number,
): string {
  // A reason may be a sentence of its own, with its full stop.
  const said = sentence(state, run, worker, now).replace(/([.?!…])\.$/, '$1');
  const trouble = troubleOf(run, worker);
  if (trouble === null) return said;
  const tries =
    trouble.tries === 1 ? 'The last try failed' : `The last ${trouble.tries} tries failed`;
  return `${said} ${tries} and it is tried again: ${trouble.error}.`;
}

/** The last failure of an effect that the worker's step waits for, or null. */
function troubleOf(run: RunState, worker: WorkerState): RunState['troubles'][string] | null {
  // The merge says so itself.
  const kinds: readonly IntentKind[] = steps[worker.state] ?? [];
  for (const kind of kinds) {
    const trouble = run.troubles[intentKey(run, kind, worker)];
    if (trouble !== undefined) return trouble;
  }
  return null;
}

/** Effects without which a worker stays where it is. */
const steps: Partial<Record<WorkerState['state'], readonly IntentKind[]>> = {
  starting: ['prepare-tree', 'setup', 'launch'],
  active: ['collect', 'teardown'],
};

function sentence(state: RepositoryState, run: RunState, worker: WorkerState, now: number): string {
  const { id } = worker;
  switch (worker.state) {
    case 'pending':
      return `${id} is pending: it waits for ${
        waitingOn(run, id)
          .map((on) => `${on} (${stateOf(run, on)})`)
          .join(', ') || 'the run to begin'
      }.`;
    case 'ready':
      return `${id} is ready: ${readyReason(waitingFor(state, run, worker, now), { state, run, worker, now })}.`;
    case 'starting':
      return `${id} is starting: ${startingReason(worker)}.`;
    case 'active':
      return `${id} is active: ${activeReason(worker)}.`;
    case 'verifying':
      return `${id} is verifying: ${verifyingReason(worker)}.`;
    case 'reviewing':
      return `${id} is reviewing: ${reviewingReason({ state, run, now }, worker)}.`;
    case 'merging':
      return `${id} is merging: ${mergingReason(run, worker)}.`;
    case 'blocked':
      return blockedReason(worker);
    case 'paused':
      return `${id} is paused: ${worker.reason}.`;
    case 'complete': {
      const how =
        worker.merged === null ? worker.reason : `merged as ${worker.merged.commit.slice(0, 10)}`;
      const late = unread(worker).map((text) => ` It was done before it could be told: ${text}.`);
      return `${id} is complete: ${how}.${late.join('')}`;
    }
    case 'failed':
      if (worker.failures === 0) return `${id} failed: ${worker.reason}.`;
      return `${id} failed after ${plural(worker.failures, 'failed attempt')}: ${worker.reason}.`;
    case 'skipped':
      return `${id} was skipped: ${worker.reason}.`;
    case 'cancelled':
      return worker.reason === 'cancelled'
        ? `${id} was cancelled.`
        : `${id} was cancelled: ${worker.reason}.`;
  }
}

/** Dependencies of the worker that are not satisfied. */
export function waitingOn(run: RunState, id: string): readonly string[] {
  return definitionOf(run, id)
    .edges.filter((edge) => edgeState(run, edge).kind !== 'satisfied')
    .map((edge) => edge.on);
}

/** What a ready worker waits for, in the words of `status --json`; null when it waits for nothing. */
export function waitingForWord(waiting: WaitingFor | null): string | null {
  if (waiting === null) return null;
  if (waiting.kind === 'ownership') return `ownership:${waiting.worker}`;
  if (waiting.kind === 'stagger') return 'slot';
  return waiting.kind === 'resource' ? `resource:${waiting.name}` : waiting.kind;
}

function readyReason(
  waiting: WaitingFor | null,
  at: {
    readonly state: RepositoryState;
    readonly run: RunState;
    readonly worker: WorkerState;
    readonly now: number;
  },
): string {
  if (waiting === null) return 'nothing keeps it from starting';
  switch (waiting.kind) {
    case 'paused':
      return 'its run is paused';
    case 'approval':
      return 'it waits for a person to approve its launch';
    case 'budget':
      return budgetReason(at);
    case 'stagger':
      return 'another of its agent has just started (stagger)';
    case 'slot':
      return 'it waits for a free slot (max_parallel)';
    case 'repository':
      return 'the repository of the run is being prepared';
    case 'inputs':
      return 'its inputs are being checked';
    case 'barrier':
      return 'it waits for the wave before it (barrier: wave)';
    case 'quota':
      return `its agent has no quota left; it is tried again in ${Math.max(1, Math.ceil((waiting.until - at.now) / 1000))} s`;
    case 'backoff':
      return `it is tried again in ${Math.max(1, Math.ceil((waiting.until - at.now) / 1000))} s`;
    case 'ownership':
      return `${waiting.worker} holds files that it owns too`;
    case 'resource':
      return lackText(waiting, at.now);
  }
}

function budgetReason(at: Parameters<typeof readyReason>[1]): string {
  const { text, command } = budgetLack(at, at.worker);
  return `${text} (${command})`;
}

function startingReason(worker: WorkerState): string {
  switch (worker.attempt?.phase) {
    case 'tree':
      return 'its working tree is being made';
    case 'setup':
      return worker.attempt.setupGranted
        ? 'its setup runs'
        : 'its setup waits for a check slot (max_parallel_checks)';
    case 'launch':
    case 'running':
    case 'ended':
    case 'collected':
    case undefined:
      return 'its program is being started';
  }
}

function activeReason(worker: WorkerState): string {
  if (worker.attempt?.phase === 'ended')
    return 'its agent has ended and its work is being collected';
  if (worker.attempt?.phase === 'collected')
    return 'its agent has ended, its work is collected, and its teardown runs';
  if (worker.stop !== null) return `it is being stopped (${worker.stop.reason})`;
  const [ask] = openAsks(worker);
  if (ask?.what.kind === 'question') return `it waits for an answer to ${ask.id}: ${ask.what.text}`;
  if (ask !== undefined)
    return `it waits for permission (${ask.id}): ${requestText(ask.what.request)}`;
  return `attempt ${worker.attempt?.n ?? 0} runs`;
}

function verifyingReason(worker: WorkerState): string {
  if (worker.attempt?.phase !== 'collected') return 'its work is being collected';
  if (worker.verdicts.length === 0) return 'what it changed is being judged';
  return worker.checking
    ? 'its verify runs'
    : 'its verify waits for a check slot (max_parallel_checks)';
}

function reviewingReason(
  at: { readonly state: RepositoryState; readonly run: RunState; readonly now: number },
  worker: WorkerState,
): string {
  const running = worker.review?.running;
  if (running != null) return `${running.reviewer} looks at it`;
  const outcome = reviewOutcome(at.run, worker);
  if (outcome.kind === 'person')
    return `it waits for a person's review (czar review ${worker.id} --approve)`;
  if (outcome.kind !== 'agent') return 'its reviewers have spoken';
  if (reviewLacksBudget(at, worker)) return `its budget does not allow a review by ${outcome.name}`;
  return quotaUntil(at.state, outcome.name, at.now) === null
    ? `a review by ${outcome.name} waits for a slot`
    : `a review by ${outcome.name} waits until its provider has quota again`;
}

function mergingReason(run: RunState, worker: WorkerState): string {
  const waits = supersededBy(run, worker);
  if (waits !== null)
    return `it waits for ${waits.id}, which was sent back after it had started on it`;
  if (worker.merge === null) {
    const ahead = merging(run);
    if (worker.aside)
      return 'it conflicts with a candidate ahead of it and waits for what becomes of that';
    return ahead === null ? 'it is next in the queue' : `${ahead.id} is being merged before it`;
  }
  if (worker.merge.built === null) return 'its merge is being built';
  const trouble = run.troubles[commitKey(run)];
  if (trouble !== undefined && mergeIsThrough(run, worker))
    return `its commit could not be confirmed and is tried again (${trouble.error})`;
  if (worker.merge.checking) return 'the gates run on the combined tree';
  const tested = mergeChain(run).find(({ place }) => place === 'testing');
  return tested !== undefined && tested.worker.merge?.base !== run.tip
    ? `${tested.worker.id} is tested on top of it`
    : 'the combined tree waits for a check slot or its commit';
}

function blockedReason(worker: WorkerState): string {
  const { id, block } = worker;
  if (worker.blockedBy !== null)
    return `${id} is blocked by ${worker.blockedBy}, which did not succeed.`;
  if (block === null) return `${id} is blocked: ${worker.reason}.`;
  switch (block.kind) {
    case 'budget':
      return `${id} was stopped: ${block.text}.`;
    case 'question':
      return `${id} asks: ${block.text}`;
    case 'blocker':
      return `${id} reported a blocker: ${block.text}`;
    case 'protect':
      return `${id} changed protected paths that a person must approve: ${block.files.join(', ')}.`;
    case 'conflict':
    case 'review':
    case 'denied':
    case 'dependency':
    case 'gate':
    case 'inconclusive':
    case 'inputs':
    case 'infrastructure':
    case 'lost':
    case 'nothing_changed':
    case 'when':
      return `${id} is blocked: ${block.text}.`;
  }
}

function stateOf(run: RunState, id: string): string {
  return run.workers.get(id)?.state ?? 'unknown';
}

function plural(n: number, word: string): string {
  return `${n} ${word}${n === 1 ? '' : 's'}`;
}
