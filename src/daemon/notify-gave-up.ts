/** The last word of a guardian: tells whom the live runs name that the daemon is not started again. */
import { statSync } from 'node:fs';
import { daemonGaveUp } from '../core/notify.ts';
import { restlessRuns } from '../core/restless.ts';
import { isRunLive } from '../core/state.ts';
import { gaveUpNotice } from '../report/notice.ts';
import { decodeGaveUp, gaveUpFile, guardianGaveUp } from './holder.ts';
import { openLogState } from './hold-log.ts';
import { eventLoop } from './scheduler.ts';
import { Notifier, type NotifierOptions } from './notify.ts';
import type { Place } from './place.ts';

/** Resolves when everybody has been told, or given up on. Without a guardian that gave up nobody is told anything. */
export async function tellGaveUp(
  place: Place,
  options: Pick<NotifierOptions, 'env' | 'say'> & {
    /** What the guardian said, for a disk that did not take its note; empty for nothing. */
    readonly said: string;
    /** Milliseconds since 1970. */
    readonly now: number;
  },
): Promise<void> {
  const gaveUp = guardianGaveUp(place) ?? decodeGaveUp(options.said);
  const state = openLogState(place);
  if (gaveUp === null || state === null) return;
  const at = Math.floor(
    statSync(gaveUpFile(place), { throwIfNoEntry: false })?.mtimeMs ?? options.now,
  );
  const targets = restlessRuns(state)
    .filter(isRunLive)
    .flatMap((run) => run.plan.policies.notify ?? [])
    .filter(({ events }) => events.includes(daemonGaveUp));
  const notifier = new Notifier({ ...options, cwd: place.root, scheduler: eventLoop });
  notifier.send(targets, gaveUpNotice({ ...gaveUp, at }));
  await notifier.idle();
}
