/** Starting a daemon apart from this process: what it would begin, and the guardian that it is started under. */
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emptyState } from '../core/evolve.ts';
import { gitContext } from '../git/context.ts';
import type { RepositoryFacts } from '../git/repository.ts';
import { needRoom } from '../journal/room.ts';
import { startGuarded } from '../process/guardian.ts';
import { begin, type Began } from './begin.ts';
import type { Wanted } from './choose-run.ts';
import { withDaemonLog } from './daemon-log.ts';
import { gaveUpFile } from './holder.ts';
import { openLogState } from './hold-log.ts';
import type { Place } from './place.ts';

/** What a daemon would begin on the log as it lies there, or why nothing. Changes nothing. */
export async function wouldBegin(at: {
  readonly place: Place;
  readonly facts: RepositoryFacts;
  readonly wanted: Wanted;
  readonly now: number;
  /** Value of PATH that the daemon will have. */
  readonly path: string;
}): Promise<Began> {
  const { root, commonDir, home } = at.place;
  const git = gitContext({ root, commonDir, home: home.path });
  const state = openLogState(at.place) ?? emptyState();
  return begin({ ...at, git, state, wanted: { ...at.wanted, includeDirty: false } });
}

/** In the environment of a daemon that is about to be asked for its first beginning: it launches nothing before. */
export const awaitsBeginning = 'CZAR_AWAITS_BEGINNING';

/** Throws `JournalError` when a daemon would die of a full disk, where nobody sees it, before it listens. */
export function needRoomToStart(place: Place): void {
  needRoom(place.state);
}

/** Starts `czar` with these arguments under a guardian; gives the guardian's pid. Throws as `needRoomToStart`. */
export function spawnDaemon(
  place: Place,
  { args, env }: { readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv },
): number | null {
  const gaveUp = gaveUpFile(place);
  mkdirSync(dirname(gaveUp), { recursive: true, mode: 0o700 });
  needRoomToStart(place);
  rmSync(gaveUp, { force: true });
  return withDaemonLog(place, (log) =>
    startGuarded({
      command: [launcher, ...args],
      cwd: place.root,
      env,
      log,
      gaveUpFile: gaveUp,
      lastWord: '--gave-up',
    }),
  );
}

/** The launcher of this package, which finds a Node itself: it stays where it is when the package is replaced. */
const launcher = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'bin', 'czar');
