/**
 * The processes around an attempt, as its records tell: its shim, its agent, its watchdog, and the control group in which
 * the kernel holds what the shim starts. A group serves one attempt after another: it counts only while its shim notes
 * that it has this one.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { membersOf, type ControlGroup } from './control-group.ts';
import { folderLine } from './runner-text.ts';
import { readRecords, readWatchdog, type AttemptRecords, type RecordedProcess } from './status.ts';

/** What is on record of the processes around an attempt. */
export interface Companions {
  readonly shim: RecordedProcess | null;
  readonly agent: RecordedProcess | null;
  readonly watchdog: RecordedProcess | null;
  readonly group: AttemptRecords['group'];
  readonly exited: boolean;
}

/** Shim, agent and watchdog on record; none when the record is of another boot. */
export function companions(dir: string | null, boot: string): Companions {
  const none = { shim: null, agent: null, watchdog: null, group: null, exited: false };
  if (dir === null) return none;
  const { status, boot: recorded, group } = readRecords(dir);
  if (recorded !== '' && recorded !== boot) return none;
  const shim = 'shim' in status ? status.shim : null;
  const agent = 'agent' in status ? status.agent : null;
  const exited = status.kind === 'exited';
  return { shim, agent, watchdog: readWatchdog(dir), group, exited };
}

/**
 * Pids in the control group of the attempt's shim, while that has this attempt and no other: it notes which one it has
 * before there is an agent. Null where the kernel does not hold the attempt.
 */
export function heldBy(
  dir: string | null,
  { group, shim }: Pick<Companions, 'group' | 'shim'>,
): ReadonlySet<number> | null {
  if (!holds(group, shim, dir)) return null;
  const pids = new Set(membersOf(group));
  // Beside the shim there may be something of its next attempt.
  const alone = shim !== null && pids.size === 1 && pids.has(shim.pid);
  return alone || holds(group, shim, dir) ? pids : null;
}

/** The control group that holds this attempt now; null when there is none, or it may hold another. */
export function groupOf(dir: string | null): ControlGroup | null {
  if (dir === null) return null;
  const { status, group } = readRecords(dir);
  return holds(group, 'shim' in status ? status.shim : null, dir) ? group : null;
}

/** Whether the shim of the group notes that it has this attempt. */
function holds(
  group: AttemptRecords['group'],
  shim: RecordedProcess | null,
  dir: string | null,
): group is NonNullable<AttemptRecords['group']> {
  if (dir === null || group === null || shim === null) return false;
  try {
    const [notes, own] = [
      readFileSync(join(group.notes, String(shim.pid)), 'utf8'),
      folderLine(dir),
    ];
    return notes === own || notes.endsWith(`\n${own}`);
  } catch {
    return false;
  }
}
