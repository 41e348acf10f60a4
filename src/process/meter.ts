/**
 * Looks at what live attempts use of the machine, where the kernel does not hold them to a limit: a table of all
 * processes now and then, by a helper process, so that no crowd of them keeps this one busy.
 *
 * Owns the helper, which is started by the first look and costs nothing before. Best effort: what hid from its parent,
 * session and an earlier look is not counted, and between two looks anything may happen.
 */
import { readFileSync } from 'node:fs';
import type { LimitKind } from '../core/events.ts';
import type { AttemptLimits } from '../core/plan.ts';
import { hitLimit, type ControlGroup } from './control-group.ts';
import { CoProcess } from './co-process.ts';
import { hasEnded } from './identity.ts';
import { readRecords, readStatus } from './status.ts';
import { parseStat, systemFacts } from './table.ts';

/** One process in a table; `memory` in bytes, shared pages counted for each. */
export interface UseRow {
  readonly pid: number;
  readonly ppid: number;
  /** Its session, or its group where sessions are not shown. */
  readonly session: number;
  readonly threads: number;
  readonly memory: number;
  /** Tells it from a later one with its pid, as far as the platform does. */
  readonly start: string;
}

export class Meter implements AsyncDisposable {
  #helper: CoProcess | null = null;
  #look: Promise<readonly UseRow[]> | null = null;
  #lookAgainAt = 0;
  readonly #seen = new Map<string, ReadonlySet<string>>();
  readonly #groups = new Map<string, ControlGroup | null>();

  /** The limit that the attempt in the folder is over; null for none, or when it cannot be told. */
  async over(dir: string, limits: AttemptLimits): Promise<LimitKind | null> {
    const group = this.#groupOf(dir);
    const counted = group === null ? null : hitLimit(group);
    if (counted !== null) return counted;
    const processes = group?.pids == null ? limits.processes : null;
    const memoryBytes = group?.memory == null ? limits.memoryBytes : null;
    if (processes === null && memoryBytes === null) return null;
    const status = readStatus(dir);
    if (status.kind !== 'running') return null;
    const rows = await this.#table();
    const seen = this.#seen.get(dir) ?? new Set();
    const tree = treeIn(rows, { shim: status.shim?.pid ?? 0, agent: status.agent.pid, seen });
    this.#seen.set(dir, new Set(tree.map(nameOf)));
    const sum = (of: (row: UseRow) => number): number =>
      tree.reduce((total, row) => total + of(row), 0);
    if (processes !== null && sum((row) => row.threads) > processes) return 'processes';
    // What several share counts for each at first, and is looked at only when that is too much.
    const isOver =
      memoryBytes !== null &&
      sum((row) => row.memory) > memoryBytes &&
      sum((row) => ownMemory(row)) > memoryBytes;
    return isOver ? 'memory' : null;
  }

  /** The attempt in the folder has ended. */
  forget(dir: string): void {
    this.#seen.delete(dir);
    this.#groups.delete(dir);
  }

  /** The control group of an attempt that runs is the one that its records name then. */
  #groupOf(dir: string): ControlGroup | null {
    const known = this.#groups.get(dir);
    if (known !== undefined) return known;
    const { status, group } = readRecords(dir);
    if (status.kind === 'running') this.#groups.set(dir, group);
    return group;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#helper?.[Symbol.asyncDispose]();
  }

  /** One look serves all that ask within a while, which is the longer the more a look costs. */
  #table(): Promise<readonly UseRow[]> {
    if (this.#look !== null && performance.now() < this.#lookAgainAt) return this.#look;
    this.#lookAgainAt = Infinity;
    const began = performance.now();
    this.#look = this.#ask().finally(() => {
      const now = performance.now();
      this.#lookAgainAt = now + Math.max(leastPauseMs, (now - began) * pauseFactor);
    });
    return this.#look;
  }

  async #ask(): Promise<readonly UseRow[]> {
    if (this.#helper === null || this.#helper.ended)
      this.#helper = new CoProcess({
        argv: ['/bin/sh', '-c', meterText, 'czar-meter'],
        cwd: '/',
        env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
        timeoutMs: answerMs,
      });
    return (await this.#helper.ask('look\n', readTable)) ?? [];
  }
}

/** Between two looks, milliseconds, and as many times what one took. */
const leastPauseMs = 1_900;
const pauseFactor = 20;
const answerMs = 20_000;

/** Answers each line with the unit of memory in bytes, the table of the platform, and a full stop. */
const meterText = `
page=$(getconf PAGESIZE) 2>/dev/null || page=4096
while read -r ask; do
  if [ -e /proc/self/stat ]; then
    echo "$page"
    cat /proc/[0-9]*/stat
  else
    echo 1024
    ps -A -o pid= -o ppid= -o pgid= -o rss=
  fi 2>/dev/null
  echo .
done
`;

function readTable(
  bytes: Buffer,
): { readonly value: readonly UseRow[]; readonly length: number } | { readonly needs: number } {
  const { length } = bytes;
  if (bytes.subarray(length - 3).toString('latin1') !== '\n.\n') return { needs: length + 1 };
  const [unit = '', ...lines] = bytes.toString('latin1').split('\n').slice(0, -2);
  const rowOf = systemFacts.platform === 'proc' ? rowOfStat : rowOfPs;
  return { value: lines.flatMap((line) => rowOf(line, Number(unit)) ?? []), length };
}

/** Of a line of `/proc/PID/stat` (proc_pid_stat(5)). */
function rowOfStat(line: string, unit: number): UseRow | null {
  const row = parseStat(line);
  if (row === null || hasEnded(row.state)) return null;
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const { pid, ppid, session, start } = row;
  return {
    pid,
    ppid,
    session,
    start,
    threads: Number(fields[17]),
    memory: Number(fields[21]) * unit,
  };
}

function rowOfPs(line: string, unit: number): UseRow | null {
  const [pid = NaN, ppid = NaN, session = NaN, memory = NaN] = line.trim().split(/ +/).map(Number);
  if (Number.isNaN(memory)) return null;
  return { pid, ppid, session, start: '', threads: 1, memory: memory * unit };
}

/** What of the table is of the tree: in the shim's session, below shim or agent, or of it in an earlier look. */
export function treeIn(
  rows: readonly UseRow[],
  known: { readonly shim: number; readonly agent: number; readonly seen: ReadonlySet<string> },
): readonly UseRow[] {
  const { shim, agent, seen } = known;
  const children = Map.groupBy(rows, (row) => row.ppid);
  const members = new Map<number, UseRow>();
  const waiting = rows.filter(
    (row) =>
      row.pid === agent || row.session === shim || row.ppid === shim || seen.has(nameOf(row)),
  );
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    if (row.pid === shim || members.has(row.pid)) continue;
    members.set(row.pid, row);
    waiting.push(...(children.get(row.pid) ?? []));
  }
  return [...members.values()];
}

function nameOf({ pid, start }: UseRow): string {
  return `${pid} ${start}`;
}

/** Its share of what it uses (proc_pid_smaps(5)), where the platform tells; else what the table says. */
function ownMemory({ pid, memory }: UseRow): number {
  try {
    const text = readFileSync(`${systemFacts.proc}/${pid}/smaps_rollup`, 'latin1');
    const [, share] = /^Pss: +(\d+) kB$/m.exec(text) ?? [];
    return share === undefined ? memory : Number(share) * 1_024;
  } catch {
    return memory;
  }
}
