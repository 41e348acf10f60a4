/**
 * A look at everything that czar rests on in a repository, and mending what can be mended without any loss. Looking
 * changes nothing; mending happens under the repository's lock, and is looked at again.
 */
import { existsSync } from 'node:fs';
import { JournalError } from '../journal/journal.ts';
import type { Owner } from '../journal/lock.ts';
import { crashPoint } from '../daemon/crash-point.ts';
import { openLogState } from '../daemon/hold-log.ts';
import type { Place } from '../daemon/place.ts';
import { isHeld } from '../daemon/views/read.ts';
import { takeLock } from '../daemon/take-lock.ts';
import { packageVersion } from '../daemon/version.ts';
import { gitContext } from '../git/context.ts';
import type { LoadedPlan } from '../plan/load.ts';
import { identify } from '../process/identity.ts';
import { checkMachine } from './check-machine.ts';
import { checkLanding, checkLock, checkLog } from './check-state.ts';
import { checkSurroundings } from './check-surroundings.ts';
import { checkTools } from './check-tools.ts';
import { checkTrees } from './check-trees.ts';
import type { Finding, Patient } from './finding.ts';

export interface Diagnosis {
  readonly findings: readonly Finding[];
  /** Checks that something was mended in, by what was found. */
  readonly mended: readonly Finding[];
  /** What could not be mended, with why. */
  readonly failed: readonly { readonly finding: Finding; readonly error: string }[];
}

interface Looked {
  readonly place: Place;
  readonly env: NodeJS.ProcessEnv;
  readonly plan: LoadedPlan;
}

/** Looks, and changes nothing. */
export async function examine(options: Looked): Promise<readonly Finding[]> {
  return look(options, isHeld(options.place));
}

/** Mends what can be mended and looks again; or says who holds the lock. */
export async function mend(options: Looked): Promise<Diagnosis | { readonly owner: Owner | null }> {
  const { place, env } = options;
  const point = crashPoint(env);
  // Without its folder there is nothing to hold, and nothing of czar's to mend.
  if (!existsSync(place.state))
    return { findings: await look(options, false), mended: [], failed: [] };
  // Taking the lock takes the place of whoever left something in it.
  const before = checkLock(patientOf(options, isHeld(place)));
  const self = identify(process.pid);
  const taken = await takeLock(place.state, {
    pid: process.pid,
    start: typeof self === 'string' ? '' : self.start,
    socket: null,
    version: packageVersion(),
  });
  if ('owner' in taken) return taken;
  const mended: Finding[] = [];
  const failed: { finding: Finding; error: string }[] = [];
  try {
    const found = await lookBehind(options, false);
    for (const finding of [...before, ...found]) {
      if (finding.mend === undefined) continue;
      point?.('doctor:before-mend');
      try {
        await finding.mend();
        mended.push(finding);
      } catch (error) {
        failed.push({ finding, error: error instanceof Error ? error.message : String(error) });
      }
      point?.('doctor:after-mend');
    }
  } finally {
    taken.lock.release();
  }
  return { findings: await look(options, isHeld(place)), mended, failed };
}

async function look(options: Looked, busy: boolean): Promise<readonly Finding[]> {
  const patient = patientOf(options, busy);
  return [
    ...(await checkTools(patient)),
    ...(await checkMachine(patient)),
    ...checkLock(patient),
    ...(await lookBehind(options, busy)),
    ...(await checkSurroundings(patient)),
  ];
}

/** What lies behind the lock: log, mirror, trees. */
async function lookBehind(options: Looked, busy: boolean): Promise<readonly Finding[]> {
  const patient = patientOf(options, busy);
  return [...checkLog(patient), ...checkLanding(patient), ...(await checkTrees(patient))];
}

function patientOf({ place, env, plan }: Looked, busy: boolean): Patient {
  const git = gitContext({ root: place.root, commonDir: place.commonDir, home: place.home.path });
  return { place, git, env, plan, busy, state: stateOf(place) };
}

function stateOf(place: Place): Patient['state'] {
  try {
    return openLogState(place);
  } catch (error) {
    // What is wrong with the log is a finding of its own.
    if (error instanceof JournalError) return null;
    throw error;
  }
}
