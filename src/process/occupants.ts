/** Whether anybody works in a folder, as far as the platform shows it. */
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
