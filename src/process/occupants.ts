/** Whether anybody works in a folder, as far as the platform shows it. */
import { readdirSync, readlinkSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { hasEnded } from './identity.ts';
import { listProcesses, readPlaces, systemFacts } from './table.ts';
import type { FactSource } from './table.ts';

/** Whether a process has its working folder in `folder` (absolute, no links); 'unknown' where that is not shown. */
export function isOccupied(folder: string, source: FactSource = systemFacts): boolean | 'unknown' {
  const rows = source.platform === 'ps' ? null : listProcesses(source);
  if (rows === null) return 'unknown';
  const whole = resolve(folder);
  return rows.some((row) => {
    if (hasEnded(row.state)) return false;
    const { cwd } = readPlaces(row.pid, source);
    return cwd === whole || cwd?.startsWith(whole + sep) === true;
  });
}

/**
 * Whether a process could still change what is below `folder` (absolute, no links) without looking it up anew: one that
 * works there, or has a file or folder of it open. 'unknown' where that is not shown, also for a single process.
 */
export function isInUse(folder: string, source: FactSource = systemFacts): boolean | 'unknown' {
  if (source.platform === 'ps') return 'unknown';
  const whole = resolve(folder);
  const isBelow = (path: string): boolean => path === whole || path.startsWith(whole + sep);
  let unseen = false;
  const rows = listProcesses(source);
  if (rows === null) return 'unknown';
  for (const { pid, state } of rows) {
    if (hasEnded(state)) continue;
    const place = `${source.proc}/${pid}`;
    try {
      const open = readdirSync(`${place}/fd`).map((name) => `fd/${name}`);
      for (const name of ['cwd', 'root', ...open])
        if (isBelow(target(`${place}/${name}`))) return true;
    } catch (error) {
      // One that has ended meanwhile is no trouble; one of another user cannot have been an agent's.
      unseen ||= !(
        error instanceof Error &&
        'code' in error &&
        /^(?:ENOENT|ESRCH|EACCES|EPERM)$/.test(String(error.code))
      );
    }
  }
  return unseen ? 'unknown' : false;
}

/** What a link of `/proc` leads to; nothing when it is gone. */
function target(path: string): string {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
