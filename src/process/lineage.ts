/**
 * A process and those above it, nearest first, as far as the machine shows them. What left its parents (a daemonised
 * process) is not below them any more.
 */
import { readEnvironment, readProcess, systemFacts } from './table.ts';
import type { FactSource, ProcessRow } from './table.ts';

/** So far up is looked; no real process is deeper. */
const maxDepth = 256;

/** The process and its ancestors below the first process of the machine; ends where one cannot be read. */
export function* lineage(
  pid: number,
  source: FactSource = systemFacts,
): Generator<ProcessRow, void, undefined> {
  let next = pid;
  for (let depth = 0; depth < maxDepth && next > 1; depth += 1) {
    const row = readProcess(next, source);
    if (row === null || row === 'unknown') return;
    yield row;
    next = row.ppid;
  }
}

/** What a process was started with of one variable; null when it has none, or it is not shown. */
export function variableOf(
  pid: number,
  name: string,
  source: FactSource = systemFacts,
): string | null {
  const entry = readEnvironment(pid, source)?.find((item) => item.startsWith(`${name}=`));
  return entry === undefined ? null : entry.slice(name.length + 1);
}
