/**
 * Who a process is: pid, start time and boot together, since a pid alone comes back.
 *
 * What cannot be read is 'unknown' and is never taken for an end. A zombie has ended: only its exit code is still there.
 */
import type { ProcessIdentity } from '../core/events.ts';
import { readBootId, readProcess, systemFacts } from './table.ts';
import type { FactSource } from './table.ts';

/** Names the present boot of this machine; '' when that cannot be told. */
export function bootId(source: FactSource = systemFacts): string {
  return readBootId(source);
}

/** The process that has this pid now. */
export function identify(
  pid: number,
  source: FactSource = systemFacts,
): ProcessIdentity | 'gone' | 'unknown' {
  const row = readProcess(pid, source);
  if (row === 'unknown') return 'unknown';
  if (row === null || hasEnded(row.state)) return 'gone';
  return { pid, start: row.start, boot: bootId(source) };
}

/** Whether exactly this process still runs. */
export function liveness(
  identity: ProcessIdentity,
  source: FactSource = systemFacts,
): 'alive' | 'gone' | 'unknown' {
  const boot = bootId(source);
  if (boot === '' || identity.boot === '') return 'unknown';
  if (boot !== identity.boot) return 'gone';
  const now = identify(identity.pid, source);
  if (now === 'gone' || now === 'unknown') return now;
  if (now.start === identity.start) return 'alive';
  // The two ways of telling a start time cannot be compared with each other.
  return isTicks(now.start) === isTicks(identity.start) ? 'gone' : 'unknown';
}

/** Whether a process in this state runs no more: zombie or dead. */
export function hasEnded(state: string): boolean {
  return state === 'Z' || state === 'X';
}

function isTicks(start: string): boolean {
  return /^\d+$/.test(start);
}
