/**
 * The lifecycle as data: every transition that exists, each with the causes that may bring it about. Nothing else in
 * czar changes a worker's state: `evolve` refuses an event whose transition is not here.
 *
 * Invariant S1 rests on it: only `ready → starting` creates an attempt, and every way back to work leads through
 * `ready`.
 */

export const states = [
  'pending',
  'ready',
  'starting',
  'active',
  'verifying',
  'reviewing',
  'merging',
  'complete',
  'blocked',
  'paused',
  'failed',
  'skipped',
  'cancelled',
] as const;

export type WorkerStateName = (typeof states)[number];

const final: ReadonlySet<WorkerStateName> = new Set(['complete', 'failed', 'skipped', 'cancelled']);

const transitions: Readonly<Record<WorkerStateName, readonly WorkerStateName[]>> = {
  pending: ['ready', 'blocked', 'skipped', 'paused', 'cancelled'],
  // Back to pending only by an amendment: its edges are looked at anew.
  ready: ['pending', 'starting', 'blocked', 'failed', 'paused', 'skipped', 'cancelled'],
  starting: ['active', 'verifying', 'ready', 'failed', 'blocked', 'paused', 'cancelled'],
  active: ['verifying', 'ready', 'failed', 'blocked', 'paused', 'cancelled'],
  verifying: ['reviewing', 'merging', 'complete', 'ready', 'blocked', 'paused', 'cancelled'],
  reviewing: ['merging', 'complete', 'ready', 'blocked', 'failed', 'paused', 'cancelled'],
  merging: ['complete', 'ready', 'blocked', 'paused', 'cancelled'],
  complete: [],
  blocked: [
    'ready',
    'verifying',
    'reviewing',
    'merging',
    'pending',
    'failed',
    'paused',
    'skipped',
    'cancelled',
  ],
  paused: ['pending', 'ready', 'verifying', 'reviewing', 'merging', 'blocked', 'cancelled'],
  failed: ['verifying', 'pending', 'skipped'],
  skipped: [],
  cancelled: ['pending', 'skipped'],
};

/** Whether the table has the transition `from → to`. */
export function canMove(from: WorkerStateName, to: WorkerStateName): boolean {
  return transitions[from].includes(to);
}

/** Whether nothing follows by itself: complete, failed, skipped, cancelled. */
export function isFinal(state: WorkerStateName): boolean {
  return final.has(state);
}

/** Whether the worker has a live attempt and holds an agent slot. */
export function isLive(state: WorkerStateName): boolean {
  return state === 'starting' || state === 'active';
}
