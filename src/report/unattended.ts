/** What is said of a run that nobody leads: who did, why not any more, and what goes on with it. */
import { isLive } from '../core/lifecycle.ts';
import { minuteStamp } from './figures.ts';
import type { StatusDocument } from './status-schema.ts';

/** A process that led the runs and ended without goodbye. */
export interface Died {
  readonly what: 'daemon' | 'run';
  readonly pid: number;
  /** When the log had its last word, milliseconds since 1970. */
  readonly at: number;
  /** Whether its guardian lives, and starts it again. */
  readonly guarded: boolean;
}

/** A daemon that its guardian does not start again. */
export interface GaveUp {
  readonly deaths: number;
  /** Exit code of the last death. */
  readonly code: number;
}

/** What nobody deals with now; nothing while a loop lives. */
export function unattended(
  { run, workers }: StatusDocument,
  about: {
    readonly died?: Died | null;
    readonly gaveUp?: GaveUp | null;
    readonly offsetMinutes: number;
  },
): readonly string[] {
  if (run.loop !== 'none') return [];
  const ended = workers.filter(({ state, liveness }) => state === 'active' && liveness === 'ended');
  return [
    ...ended.map(({ id }) => `${id}: its agent has ended; nobody has collected it`),
    ...(isUnfinished(run.state) ? goesOnWith({ run, workers }, about) : []),
  ];
}

/** `the daemon died 6 times in ten minutes, the last time with exit code 137, and is not started again`. */
export function gaveUpText({ deaths, code }: GaveUp): string {
  return `the daemon died ${deaths} times in ten minutes, the last time with exit code ${code}, and is not started again`;
}

function isUnfinished(state: StatusDocument['run']['state']): boolean {
  return state === 'running' || state === 'waiting' || state === 'paused';
}

/** Who led the run and does no more, and the command that goes on with it. */
function goesOnWith(
  { run: { state }, workers }: Pick<StatusDocument, 'run' | 'workers'>,
  { died = null, gaveUp = null, offsetMinutes }: Parameters<typeof unattended>[1],
): readonly string[] {
  if (gaveUp !== null) {
    const what = gaveUpText(gaveUp).replace(/^t/, 'T');
    return [
      `${what}: czar daemon logs tells why, czar daemon start goes on with it; nothing is lost.`,
    ];
  }
  if (died === null) {
    const live = workers.some((one) => isLive(one.state));
    if (!live && state !== 'running') return [];
    const does = state === 'paused' ? 'stops what runs of it' : 'goes on with it';
    return [`No czar is running here: czar run ${does}.`];
  }
  const when = `last word in the log at ${minuteStamp(died.at, offsetMinutes)}`;
  const who = died.what === 'daemon' ? 'The daemon' : 'The czar run in a terminal';
  const next = died.guarded
    ? 'its guardian starts it again.'
    : `${died.what === 'daemon' ? 'czar daemon start' : 'czar run'} goes on with it; nothing is lost.`;
  return [`${who} (pid ${died.pid}) has died, ${when}: ${next}`];
}
