/**
 * What outlives its time: what a command left running, and commands that outlived their loop. A check or a setup is
 * waited for by the loop that started it; when that one was killed nobody ends it at its time limit, and a setup would
 * go on writing into a tree that the next loop prepares.
 *
 * Every such command carries the repository's mark as CZAR_ATTEMPT_KEY; what it starts carries the mark with the
 * command's pid, also in a session of its own. So what one command left is told from what others still do, and a
 * command that still runs from what an ended setup put up for its agent, which is let be.
 */
import type { ProcessIdentity } from '../core/events.ts';
import { hasEnded } from '../process/identity.ts';
import { attemptKey } from '../process/status.ts';
import {
  listProcesses,
  readBootId,
  readEnvironment,
  systemFacts,
  type ProcessRow,
} from '../process/table.ts';
import { scan, stopTree } from '../process/tree.ts';

/** The mark of a repository's checks; `state` is the folder of its log. */
export function checkMark(state: string): string {
  return attemptKey(`${state}/checks`);
}

/** For the beginning of a command: from here on the mark names the command. */
export const markCommand = 'CZAR_ATTEMPT_KEY=$CZAR_ATTEMPT_KEY.$$; export CZAR_ATTEMPT_KEY\n';

const nowhere = { worktree: null, attemptDir: null };

/** Ends what a command that is over (`pid`, null when it never started) left running, wherever it went. */
export async function endLeft(mark: string, pid: number | null, graceMs: number): Promise<void> {
  if (pid === null) return;
  const query = { marker: `${mark}.${pid}`, roots: [], ...nowhere };
  // Nearly always nothing is left: then one look is all.
  if (scan(query).length > 0) await stopTree({ ...query, graceMs });
}

/** Ends every command of the mark that still runs, with all that it started. For a loop that has started none yet. */
export async function endLeftovers(mark: string, graceMs: number): Promise<void> {
  const found = scan({ marker: mark, roots: [], ...nowhere }).map(({ process }) => process);
  // A command comes before what it started.
  for (const one of [...found.toReversed(), ...replacedCommands(mark)]) {
    await stopTree({ marker: `${mark}.${one.pid}`, roots: [one], ...nowhere, graceMs });
  }
}

/** Commands whose shell became another program (`exec`): these name themselves. */
function replacedCommands(mark: string): readonly ProcessIdentity[] {
  const boot = readBootId(systemFacts);
  const isOne = ({ pid, state }: ProcessRow): boolean =>
    pid !== process.pid &&
    !hasEnded(state) &&
    readEnvironment(pid, systemFacts)?.includes(`CZAR_ATTEMPT_KEY=${mark}.${pid}`) === true;
  const rows = listProcesses(systemFacts) ?? [];
  return rows.filter(isOne).map(({ pid, start }) => ({ pid, start, boot }));
}
