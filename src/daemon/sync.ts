/** Bringing a target that has moved into a live run, by a loop of its own that does nothing else, or by the one that lives. */
import type { Rejection } from '../core/commands.ts';
import type { Event } from '../core/events.ts';
import type { Intent } from '../core/intents.ts';
import { mergedRef } from '../core/publish.ts';
import { merging } from '../core/schedule/queue.ts';
import type { RepositoryState, RunState } from '../core/state.ts';
import { refHolds } from '../git/branches.ts';
import { inUserRepository } from '../git/context.ts';
import { readRefIn } from '../git/refs.ts';
import { isLanding, type LandResult } from './land.ts';
import type { OpenLoop } from './open-loop.ts';
import type { Place } from './place.ts';
import { mirrorOf } from './views/run-facts.ts';
import { complete } from './steer.ts';

export interface SyncOrder {
  readonly run: string;
  /** Branch whose commits enter integration. */
  readonly target: string;
}

export type SyncResult =
  | { readonly kind: 'synced'; readonly target: string; readonly commit: string }
  | Exclude<LandResult, { kind: 'landed' }>;

/** What a loop does that syncs this run and nothing else: the branch that the user sees has it too when it ends. */
export function isSyncing(run: string): (intent: Intent) => boolean {
  const landing = isLanding(run);
  return (intent) => landing(intent) || (intent.kind === 'publish' && intent.run === run);
}

/** Syncs with an open loop, or waits for what an earlier process began. `events` grows with what is committed. */
export async function sync(
  opened: OpenLoop,
  order: SyncOrder,
  events: readonly Event[],
): Promise<SyncResult> {
  const { loop, place } = opened;
  const stuck = (state: RepositoryState): string | null => {
    const run = state.runs.get(order.run);
    return run === undefined ? null : (merging(run)?.id ?? null);
  };
  // A loop that only syncs merges nothing, and a merge that is under way comes first.
  const settled = () =>
    loop.until(
      (state, idle) =>
        idle && (state.runs.get(order.run)?.landing === null || stuck(state) !== null),
    );
  await settled();
  const request = await complete(place, loop.state, { kind: 'sync', ...order });
  if ('rejection' in request) return { kind: 'rejected', rejection: request.rejection };
  const carried = events.findLast(
    (event) => event.type === 'run.synced' && event.run === order.run,
  );
  if (carried?.type === 'run.synced' && 'onto' in request && carried.data.tip === request.onto)
    return { kind: 'synced', target: order.target, commit: carried.data.commit };
  const answer = await loop.send({ ...request, by: 'user' });
  if (!answer.ok) return { kind: 'rejected', rejection: answer.rejection };
  await settled();
  const half = stuck(loop.state);
  if (half !== null && loop.state.runs.get(order.run)?.landing !== null)
    return { kind: 'rejected', rejection: halfMerged(half) };
  const none = { kind: 'refused', reason: 'it ended without a result', files: [] } as const;
  return syncOutcome(events, order.run) ?? none;
}

/** A merge that no loop carries through just now is in the way. */
function halfMerged(worker: string): Rejection {
  return {
    consequence: 'reject',
    exit: 4,
    what: `${worker} is half merged, and the branch comes after it.`,
    next: 'czar run carries both through.',
  };
}

/** How the newest sync of the run among the events ended; null when none has. */
export function syncOutcome(events: readonly Event[], run: string): SyncResult | null {
  const last = events.findLast(
    (event) =>
      event.run === run &&
      (event.type === 'run.synced' || (event.type === 'land.refused' && event.data.sync === true)),
  );
  if (last?.type === 'run.synced')
    return { kind: 'synced', target: last.data.target, commit: last.data.commit };
  if (last?.type === 'land.refused')
    return { kind: 'refused', reason: last.data.reason, files: last.data.files };
  return null;
}

/** Whether integration, as the user sees it, surely has everything of the target already. */
export async function isSynced(place: Place, run: RunState, target: string): Promise<boolean> {
  const git = mirrorOf(place);
  const tip = await readRefIn(inUserRepository(git), `refs/heads/${target}`);
  return tip !== null && (await refHolds(git, mergedRef(run), tip)) === true;
}
