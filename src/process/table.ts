/**
 * What the machine shows of its processes: `/proc` on Linux, `ps` elsewhere, behind the same functions. The two
 * platforms' ways are only here.
 *
 * What cannot be read is null, never a guess.
 */
import { spawnSync } from 'node:child_process';
import { uptime as systemUptime } from 'node:os';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Where process facts come from. Tests give another folder to show a reboot or a reused pid. */
export interface FactSource {
  readonly platform: 'proc' | 'ps';
  /** Folder of process facts, `/proc`. */
  readonly proc: string;
  /** File that names the boot, one line. */
  readonly bootIdFile: string;
}

/** One process. `start` is clock ticks since boot with `/proc`, else the text of `ps -o lstart` in UTC. */
export interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  readonly group: number;
  /** 0 where it is not shown. */
  readonly session: number;
  readonly terminal: boolean;
  /** One letter, `Z` for a zombie. */
  readonly state: string;
  readonly start: string;
  readonly name: string;
}

/** The facts of this machine. */
export const systemFacts: FactSource = {
  platform: process.platform === 'linux' ? 'proc' : 'ps',
  proc: '/proc',
  bootIdFile: '/proc/sys/kernel/random/boot_id',
};

/** One process, null when there is none, 'unknown' when that cannot be told. */
export function readProcess(pid: number, source: FactSource): ProcessRow | null | 'unknown' {
  if (source.platform === 'ps') {
    const rows = ps(['-p', String(pid)]);
    return rows === null ? 'unknown' : (rows.find((row) => row.pid === pid) ?? null);
  }
  try {
    return parseStat(readFileSync(`${source.proc}/${pid}/stat`, 'utf8')) ?? 'unknown';
  } catch (error) {
    // Without a mounted /proc every process looks gone: believe it only when /proc shows something.
    if (isGone(error) && readable(`${source.proc}/self/stat`)) return null;
    return 'unknown';
  }
}

/** A process, and what of those that began later does not matter. */
export interface Since {
  readonly pid: number;
  readonly start: string;
  /** Whether a pid that was given out later is of no concern. */
  readonly isOther?: ((pid: number) => boolean) | undefined;
}

/**
 * Every process that is shown; null when none can be listed. With `since`, only those that began with or after that
 * process, where the machine lets them be told without looking at all.
 */
export function listProcesses(source: FactSource, since?: Since): readonly ProcessRow[] | null {
  if (source.platform === 'ps') return ps(['-A']);
  const isLater = since === undefined ? null : laterPids(since, source);
  const names = isLater?.few ?? pidsShown(source);
  if (names === null) return null;
  const rows: ProcessRow[] = [];
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    if (isLater?.has(Number(name)) === false) continue;
    const row = readProcess(Number(name), source);
    if (row !== null && row !== 'unknown') rows.push(row);
  }
  return rows;
}

function pidsShown({ proc }: FactSource): readonly string[] | null {
  try {
    return readdirSync(proc);
  } catch {
    return null;
  }
}

/** The pids that were given out after one. */
interface LaterPids {
  readonly has: (pid: number) => boolean;
  /**
   * Those that there are, when it is quicker to try each than to read which there are. A thread's number is among them;
   * what is read of it, and a signal to it, are its process's.
   */
  readonly few: readonly string[] | null;
}

/**
 * Which pids were given out after this one: they are given out in turn and begin anew at the end. Null when so much
 * time has passed that they may have come round.
 */
function laterPids(
  { pid, start, isOther = () => false }: Since,
  source: FactSource,
): LaterPids | null {
  const [uptime = NaN] =
    source === systemFacts ? [systemUptime()] : words(`${source.proc}/uptime`).map(Number);
  const last = Number(words(`${source.proc}/loadavg`).at(-1) ?? NaN);
  const age = uptime * ticksPerSecond - Number(start);
  if (!(age < roundSeconds * ticksPerSecond) || Number.isNaN(last)) return null;
  if (last < pid) return { has: (one) => (one >= pid || one <= last) && !isOther(one), few: null };
  const has = (one: number): boolean => one >= pid && one <= last && !isOther(one);
  const there = (one: number): boolean => has(one) && existsSync(`${source.proc}/${one}`);
  const all = Array.from({ length: last - pid + 1 }, (_, index) => pid + index);
  return { has, few: all.length > fewPids ? null : all.filter(there).map(String) };
}

/** So many pids are tried one by one. */
const fewPids = 60;

/** USER_HZ, which /proc counts start times in on every Linux that Node runs on. */
const ticksPerSecond = 100;
/** In less than this no machine starts as many processes as it has pids (32,768 at least), seconds. */
const roundSeconds = 2;

function words(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').trim().split(' ');
  } catch {
    return [];
  }
}

/** Environment as `NAME=value` entries, null where it is not shown to us. */
export function readEnvironment(pid: number, source: FactSource): readonly string[] | null {
  if (source.platform === 'ps') return null;
  try {
    return readFileSync(`${source.proc}/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return null;
  }
}

/** Working folder and what the standard descriptors point at; as far as they are shown. */
export function readPlaces(
  pid: number,
  source: FactSource,
): { cwd: string | null; stdio: string[] } {
  if (source.platform === 'ps') return { cwd: null, stdio: [] };
  const link = (path: string): string | null => {
    try {
      return readlinkSync(`${source.proc}/${pid}/${path}`);
    } catch {
      return null;
    }
  };
  const stdio = ['fd/0', 'fd/1', 'fd/2'].map(link).filter((target) => target !== null);
  return { cwd: link('cwd'), stdio };
}

/** Names the boot; '' when that cannot be told. Kept from the first time on. */
export function readBootId(source: FactSource): string {
  if (source.platform === 'ps') {
    psBoot ??= command('sysctl', ['-n', 'kern.bootsessionuuid'])?.trim() ?? '';
    return psBoot;
  }
  if (source === systemFacts && ownBoot !== '') return ownBoot;
  try {
    const boot = readFileSync(source.bootIdFile, 'latin1').trim();
    // This process does not outlive the boot.
    if (source === systemFacts) ownBoot = boot;
    return boot;
  } catch {
    return '';
  }
}

let psBoot: string | undefined;
let ownBoot = '';

/** Fields of `/proc/PID/stat` (proc_pid_stat(5)); the name may hold anything, so it is cut off at the last `)`. */
export function parseStat(text: string): ProcessRow | null {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < open) return null;
  const fields = text.slice(close + 2).split(' ');
  const start = fields[19];
  const pid = Number(text.slice(0, open));
  if (start === undefined || !/^\d+\s*$/.test(start) || !Number.isInteger(pid)) return null;
  return {
    pid,
    ppid: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    terminal: fields[4] !== '0',
    state: fields[0] ?? '?',
    start: start.trim(),
    name: text.slice(open + 1, close),
  };
}

/** Rows of `ps -o pid=,ppid=,pgid=,tty=,stat=,lstart=,comm=`; lines of another shape are left out. */
export function parsePs(text: string): readonly ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const line of text.split('\n')) {
    const match =
      /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S)\S*\s+(\S+\s+\S+\s+\S+\s+\S+\s+\d{4})\s*(.*)$/.exec(
        line,
      );
    if (match === null) continue;
    const [, pid, ppid, group, tty, state = '?', start = '', name = ''] = match;
    rows.push({
      pid: Number(pid),
      ppid: Number(ppid),
      group: Number(group),
      session: 0,
      terminal: tty !== '?' && tty !== '??' && tty !== '-',
      state,
      start: start.replace(/\s+/g, ' '),
      name,
    });
  }
  return rows;
}

function ps(selection: readonly string[]): readonly ProcessRow[] | null {
  const columns = ['pid=', 'ppid=', 'pgid=', 'tty=', 'stat=', 'lstart=', 'comm='];
  const text = command('ps', [...selection, ...columns.flatMap((column) => ['-o', column])]);
  return text === null ? null : parsePs(text);
}

/** Output of a short system command; null when it could not be run. `ps` also exits 1 for "no such process". */
function command(program: string, args: readonly string[]): string | null {
  const env = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin', LC_ALL: 'C', TZ: 'UTC0' };
  const result = spawnSync(program, args, { env, encoding: 'utf8', timeout: 10_000 });
  if (result.error !== undefined || (result.status !== 0 && result.status !== 1)) return null;
  return result.stdout;
}

function readable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

function isGone(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false;
  return error.code === 'ENOENT' || error.code === 'ESRCH';
}
