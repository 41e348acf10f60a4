/**
 * Effects that failed for reasons outside the work: disk, git, the process table. Each is tried again after a moment;
 * the third failure in a row of the same effect gives up in the way that loses least and says so.
 */
import { landingRefused } from './landing-refused.ts';
import type { Outcome } from './commands.ts';
import { intentKey } from './intent-key.ts';
import type { Intent, IntentKind } from './intents.ts';
import type { Block, NewEvent } from './events.ts';
import { afterCollection, lostAttempt, stopped } from './attempt-outcome.ts';
import type { RunState, WorkerState } from './state.ts';

/** Tries of one effect until it is given up. */
export const triesAllowed = 3;

/** Pause of an effect that has been given up and is only tried again now and then, milliseconds. */
const givenUpMs = 60_000;

/**
 * Effects that are tried for ever: what could not be confirmed may have been done, and giving up would deny it (a ref
 * that moved, S5).
 */
const neverGivenUp: ReadonlySet<IntentKind> = new Set([
  'publish',
  'push',
  'commit-merge',
  'commit-landing',
  'end-review',
  'tend-tree',
]);

/** Why the worker's program could not be launched, once that is given up; null before. */
export function launchGivenUp(run: RunState, worker: WorkerState): string | null {
  const trouble = run.troubles[intentKey(run, 'launch', worker)];
  return trouble !== undefined && trouble.tries >= triesAllowed ? trouble.error : null;
}

/** Pause before the next try of an effect that failed, milliseconds. */
export function troublePauseMs(tries: number): number {
  return Math.min(30_000, 500 * 2 ** tries);
}

/** Until when an intent pauses after its effect failed; null when it may go on. */
export function grantedWait(run: RunState, intent: Intent, now: number): number | null {
  const trouble = run.troubles[intent.key];
  if (trouble === undefined) return null;
  if (trouble.tries >= triesAllowed && neverGivenUp.has(intent.kind)) {
    return trouble.at + givenUpMs > now ? trouble.at + givenUpMs : null;
  }
  const until = trouble.at + troublePauseMs(trouble.tries);
  return until > now ? until : null;
}

/** Events that follow from a failed effect. */
export function troubleOutcome(
  run: RunState,
  outcome: Extract<Outcome, { kind: 'effect-failed' }>,
  now: number,
): readonly NewEvent[] {
  const tries = (run.troubles[outcome.key]?.tries ?? 0) + 1;
  const { key, effect, error } = outcome;
  const worker = outcome.worker === null ? undefined : run.workers.get(outcome.worker);
  const trouble: NewEvent = {
    type: 'effect.failed',
    run: run.id,
    data: { key, effect, error, tries },
  };
  if (worker === undefined) {
    return [trouble, ...(tries < triesAllowed ? [] : ofRun(run, effect, error))];
  }
  const place = { run: run.id, worker: worker.id };
  const stale = outcome.attempt !== null && outcome.attempt !== worker.attempt?.n;
  const goesOn = tries < triesAllowed || stale || neverGivenUp.has(effect);
  const giveUp = goesOn ? [] : ofWorker(run, worker, effect, error, now);
  return [{ ...trouble, ...place }, ...giveUp.map((event) => ({ ...event, ...place }))];
}

function ofRun(run: RunState, effect: IntentKind, error: string): readonly NewEvent[] {
  switch (effect) {
    case 'prepare-run':
      return [{ type: 'run.failed', run: run.id, data: { workers: [], reason: error } }];
    case 'build-landing':
    case 'check':
      return run.landing === null ? [] : [landingRefused(run, { reason: error, files: [] })];
    // Tried for ever, or a worker's.
    case 'publish':
    case 'push':
    case 'commit-landing':
    case 'check-inputs':
    case 'prepare-tree':
    case 'tend-tree':
    case 'setup':
    case 'launch':
    case 'watch':
    case 'answer':
    case 'stop':
    case 'collect':
    case 'teardown':
    case 'judge':
    case 'review':
    case 'end-review':
    case 'build-merge':
    case 'commit-merge':
      return [];
  }
}

function ofWorker(
  run: RunState,
  worker: WorkerState,
  effect: IntentKind,
  error: string,
  now: number,
): readonly NewEvent[] {
  // Nobody waits for it any more.
  if (effect === 'review' && worker.state !== 'reviewing') return [];
  switch (worker.state) {
    case 'starting':
      // A program that could not be launched is stopped first: it may run.
      return effect === 'launch' || effect === 'stop' ? [] : lostAttempt(run, worker, error, now);
    case 'ready':
      return [blocked(worker, 'ready', error)];
    case 'active':
      // Its work stays in the tree: a cancelled worker keeps it.
      if (effect === 'teardown')
        return [
          { type: 'teardown.failed', data: { command: '', findings: [error] } },
          ...afterCollection(run, worker, now),
        ];
      if (worker.stop !== null && effect === 'collect') return stopped(worker);
      return effect === 'collect'
        ? [blocked(worker, 'attempt', `its work could not be collected: ${error}`)]
        : [];
    case 'verifying':
      return [blocked(worker, 'verifying', error)];
    case 'merging':
      return [blocked(worker, 'merging', error)];
    case 'reviewing':
      return [blocked(worker, 'reviewing', error)];
    case 'pending':
    case 'complete':
    case 'blocked':
    case 'paused':
    case 'failed':
    case 'skipped':
    case 'cancelled':
      return [];
  }
}

function blocked(worker: WorkerState, step: Block['step'], text: string): NewEvent {
  const block: Block = { kind: 'infrastructure', step, text, findings: [], files: [] };
  return {
    type: 'worker.blocked',
    data: { from: worker.state, reason: text, block, blockedBy: null },
  };
}
