/** Landing on request, by a loop of its own that does nothing else, or by the loop that lives. */
import type { Rejection } from '../core/commands.ts';
import type { Event } from '../core/events.ts';
import type { Intent } from '../core/intents.ts';
import type { RunState } from '../core/state.ts';
import { gitContext, type GitContext } from '../git/context.ts';
import { branchHolds } from '../git/branches.ts';
import { stillNotUpdated } from '../git/landing/not-updated.ts';
import { readEvents } from './hold-log.ts';
import type { OpenLoop } from './open-loop.ts';
import type { Place } from './place.ts';
import { complete } from './steer.ts';

export interface LandOrder {
  readonly run: string;
  readonly target: string;
  readonly mode: 'merge' | 'squash' | 'ff';
  readonly partial: boolean;
}

export type LandResult =
  | {
      readonly kind: 'landed';
      readonly target: string;
      readonly commit: string;
      /** Files of the target's checkout that could not follow its branch; absent when there are none. */
      readonly notUpdated?: readonly string[];
    }
  | { readonly kind: 'refused'; readonly reason: string; readonly files: readonly string[] }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

/** What a loop that only lands performs. */
export function isLanding(run: string): (intent: Intent) => boolean {
  return (intent) =>
    intent.run === run &&
    (intent.kind === 'build-landing' ||
      intent.kind === 'commit-landing' ||
      intent.kind === 'prepare-run' ||
      intent.kind === 'push' ||
      (intent.kind === 'check' && intent.subject === 'land'));
}

/**
 * Lands with an open loop, or waits for the same landing that an earlier process began and this loop carries through.
 * `events` grows with what is committed meanwhile.
 */
export async function land(
  { loop, place }: Pick<OpenLoop, 'loop' | 'place'>,
  order: LandOrder,
  events: readonly Event[],
): Promise<LandResult> {
  // The state is ahead of what was told: a landing of which `events` know nothing yet would be asked for once more.
  await loop.until(() => true);
  const now = loop.state.runs.get(order.run);
  const carried = now?.landed?.tip === now?.tip ? carriedThrough(events, order) : null;
  if (carried !== null) {
    // What has landed is pushed before the loop ends with who asked.
    await loop.until((_state, idle) => idle);
    return carried;
  }
  if (!isUnderWay(loop.state.runs.get(order.run), order)) {
    const request = await complete(place, loop.state, { kind: 'land', ...order });
    if ('rejection' in request) return { kind: 'rejected', rejection: request.rejection };
    const answer = await loop.send({ ...request, by: 'user' });
    if (!answer.ok) return { kind: 'rejected', rejection: answer.rejection };
  }
  await loop.until((state, idle) => idle && state.runs.get(order.run)?.landing === null);
  return (
    outcome(events, order.run) ?? {
      kind: 'refused',
      reason: 'it ended without a result',
      files: [],
    }
  );
}

/** The same landing, when this loop has carried it through before anybody asked: as the loop began, or since. */
function carriedThrough(
  events: readonly Event[],
  { run, target, mode }: LandOrder,
): LandResult | null {
  const landed = events.findLast(
    (event) =>
      event.run === run &&
      event.type === 'run.landed' &&
      event.data.target === target &&
      event.data.mode === mode,
  );
  return landed === undefined ? null : outcome([landed], run);
}

function isUnderWay(run: RunState | undefined, { target, mode, partial }: LandOrder): boolean {
  const landing = run?.landing ?? null;
  if (landing === null) return false;
  return landing.target === target && landing.mode === mode && landing.partial === partial;
}

/** How the newest landing of the run among the events ended; null when none has. */
export function outcome(events: readonly Event[], run: string): LandResult | null {
  const last = events.findLast(
    (event) =>
      event.run === run &&
      (event.type === 'run.landed' ||
        (event.type === 'land.refused' && event.data.sync === undefined)),
  );
  if (last?.type === 'run.landed') {
    const { mode: _, ...landed } = last.data;
    return { kind: 'landed', ...landed };
  }
  if (last?.type === 'land.refused')
    return { kind: 'refused', reason: last.data.reason, files: last.data.files };
  return null;
}

/** The commit as which all that is merged landed on the target, while the target surely holds it; null otherwise. */
export async function landedAs(
  place: Place,
  run: RunState,
  target: string,
): Promise<string | null> {
  const { root, commonDir, home } = place;
  return landedIn(gitContext({ root, commonDir, home: home.path }), run, target);
}

/** The same, of a repository that is open. */
export async function landedIn(
  git: GitContext,
  run: RunState,
  target: string,
): Promise<string | null> {
  const { landed, tip } = run;
  if (landed?.target !== target || landed.tip !== tip) return null;
  return (await branchHolds(git, target, landed.commit)) === true ? landed.commit : null;
}

/** Files that could not follow the branch when the run landed on it, and that are not as it has them yet. */
export async function notUpdatedYet(
  place: Place,
  run: RunState,
  target: string,
): Promise<readonly string[]> {
  const landed = outcome(readEvents(place, { run: run.id, types: ['run.landed'] }), run.id);
  if (landed?.kind !== 'landed' || landed.target !== target) return [];
  const paths = landed.notUpdated ?? [];
  if (paths.length === 0) return [];
  const { root, commonDir, home } = place;
  const git = gitContext({ root, commonDir, home: home.path });
  const found = await stillNotUpdated(git, { target, paths });
  // Where git cannot say, all are told once more.
  return found.kind === 'looked' ? found.paths : paths;
}
