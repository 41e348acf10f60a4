/** The process table of Linux, read without anything of the product: who belongs to a scratch folder, and who lives. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Found {
  readonly pid: number;
  readonly parent: number;
  readonly start: string;
  readonly command: string;
  /** Whether it carries the mark of an attempt. */
  readonly marked: boolean;
}

/** Processes whose environment or command names the folder, this one excepted. Zombies do not count. */
export function processesOf(folder: string): readonly Found[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const environment = read(`/proc/${name}/environ`);
      const command = read(`/proc/${name}/cmdline`).split('\0').join(' ').replace(/\s+/g, ' ');
      const stat = statOf(Number(name));
      const named = new RegExp(`${folder}(/|\\s|\\0|$)`);
      if (stat === null || !named.test(`${environment} ${command}`)) return [];
      const marked = environment.includes('CZAR_ATTEMPT_KEY=');
      return [{ pid: Number(name), ...stat, command: command.slice(0, 120), marked }];
    });
}

/** Daemons and guardians of a repository, and which daemons have its log open: only one that leads does. */
export interface Background {
  readonly guardians: readonly Found[];
  readonly daemons: readonly Found[];
  readonly leaders: readonly Found[];
}

/** Who is there in the background for the repository at this moment. */
export function backgroundOf(repo: string): Background {
  const found = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name): readonly Found[] => {
      const words = read(`/proc/${name}/cmdline`).split('\0');
      const isGuardian = words.includes('czar-guardian');
      // One that was given up is started once more to tell of it, and leads nothing.
      if (!words.includes('--guarded') || (!isGuardian && words.includes('--gave-up'))) return [];
      if (words[words.indexOf('--repo') + 1] !== repo) return [];
      const stat = statOf(Number(name));
      const command = isGuardian ? 'guardian' : 'daemon';
      return stat === null ? [] : [{ pid: Number(name), ...stat, command, marked: false }];
    });
  // What is about to start another program is two of itself for a moment.
  const those = (wanted: string): readonly Found[] => {
    const all = found.filter(({ command }) => command === wanted);
    return all.filter(({ parent }) => !all.some(({ pid }) => pid === parent));
  };
  const [guardians, daemons] = [those('guardian'), those('daemon')];
  return {
    guardians,
    daemons,
    leaders: daemons.filter(
      ({ pid }) => hasThreads(pid) && hasOpen(pid, join(repo, '.git/czar/czar.db')),
    ),
  };
}

/**
 * Whether it is a whole node: the child of one that was killed before that child became another program has all its
 * files, and a single thread.
 */
function hasThreads(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).length > 1;
  } catch {
    return false;
  }
}

function hasOpen(pid: number, file: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((name) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${name}`) === file;
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}

/** Whether exactly this process lives: pid and start time in clock ticks since boot. */
export function lives(pid: number, start: string): boolean {
  return statOf(pid)?.start === start;
}

/** Waits until no process of the folder is left, and gives those that are after `patienceMs`. */
export async function leftOf(folder: string, patienceMs: number): Promise<readonly Found[]> {
  const since = performance.now();
  let left = processesOf(folder);
  while (left.length > 0 && performance.now() - since < patienceMs) {
    await sleep(50);
    left = processesOf(folder);
  }
  return left;
}

/** Kills exactly this process. */
export function kill({ pid, start }: { readonly pid: number; readonly start: string }): boolean {
  if (!lives(pid, start)) return false;
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
}

/** Kills every process of the folder, until a look finds none. */
export function killAll(folder: string): void {
  for (let round = 0; round < 50; round += 1)
    if (processesOf(folder).filter(kill).length === 0) return;
}

function statOf(pid: number): { readonly parent: number; readonly start: string } | null {
  const text = read(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (text === '' || fields[0] === 'Z') return null;
  return { parent: Number(fields[1]), start: fields[19] ?? '' };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
