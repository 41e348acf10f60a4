/** A daemon of a scratch repository, as a benchmark sees it from outside: who it is, and what it costs over a while. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { czar } from './scratch.ts';

const patienceMs = 240_000;
/** Ticks of the kernel's clock that make a second. */
const ticks = 100;

export interface Usage {
  /** Percent of a core. */
  readonly cpu: number;
  /** Resident memory, MB. */
  readonly rss: number;
}

/** Runs czar to its end; throws when it fails. */
export function call(cwd: string, env: NodeJS.ProcessEnv, ...args: readonly string[]): string {
  return execFileSync(czar, args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Who leads the repository; null when nobody says so. */
export function leaderOf(repo: string): { readonly pid: number; readonly guardian: number } | null {
  try {
    const owner = JSON.parse(readFileSync(join(repo, '.git/czar/owner.json'), 'utf8'));
    process.kill(owner.pid, 0);
    return { pid: owner.pid, guardian: owner.daemon.guardian.pid };
  } catch {
    return null;
  }
}

/** What processes cost over so many seconds, together. */
export async function usageOf(pids: readonly number[], seconds: number): Promise<Usage> {
  const before = pids.map(ticksOf);
  const since = performance.now();
  await sleep(seconds * 1_000);
  const wall = (performance.now() - since) / 1_000;
  const spent = pids.map((pid, index) => ticksOf(pid) - (before[index] ?? 0));
  const rss = pids.map((pid) => {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1_024;
  });
  const sum = (all: readonly number[]): number => all.reduce((one, two) => one + two, 0);
  return { cpu: (sum(spent) / ticks / wall) * 100, rss: sum(rss) };
}

/** Waits until it holds. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  const since = performance.now();
  while (!holds()) {
    if (performance.now() - since > patienceMs) throw new Error(`${what} never came`);
    await sleep(10);
  }
}

/** How often an event of the type is in the derived log. */
export function countOf(repo: string, type: string): number {
  try {
    const text = readFileSync(join(repo, '.czar/logs/events.jsonl'), 'utf8');
    return text.split(`"type":"${type}"`).length - 1;
  } catch {
    return 0;
  }
}

/** When the file was written last, milliseconds since 1970; 0 while it is not there. */
export function writtenAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function ticksOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
