/**
 * The records of an attempt's folder: `status` (claim, boot, pids, exit), `stopped` (who ended it), `watchdog`,
 * `watched`.
 *
 * Invariant: a record counts only as a whole line; of several of one kind the last one wins.
 */
import { closeSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import type { AttemptEnd, LimitKind } from '../core/events.ts';
import type { ControlGroup } from './control-group.ts';
import { openPlainFile } from './plain-file.ts';

/** A pid with its start time as the shim wrote it; the boot is not on record there. */
export interface RecordedProcess {
  readonly pid: number;
  readonly start: string;
}

export type AttemptStatus =
  /** Nobody has claimed it. */
  | { readonly kind: 'none' }
  /** A recovering loop claimed it: it never starts. */
  | { readonly kind: 'void' }
  /** The shim claimed it; no agent yet. */
  | { readonly kind: 'claimed'; readonly shim: RecordedProcess | null }
  | {
      readonly kind: 'running';
      readonly shim: RecordedProcess | null;
      readonly agent: RecordedProcess;
    }
  /** `agent` is null when the shim ended before there was one; `over` is the limit that the kernel held it to. */
  | {
      readonly kind: 'exited';
      readonly shim: RecordedProcess | null;
      readonly agent: RecordedProcess | null;
      readonly code: number;
      readonly over: LimitKind | null;
    };

export type StopReason = Extract<AttemptEnd, { how: 'stopped' }>['why'];

const stopReasons: readonly StopReason[] = [
  'timeout',
  'requested',
  'interrupted',
  'unattended',
  'processes',
  'memory',
];

/** Everything that the attempt's `status` says. */
export interface AttemptRecords {
  readonly status: AttemptStatus;
  /** The boot that it was started in, '' when it is not on record: pids on record mean nothing in another. */
  readonly boot: string;
  /** The control group of its shim, and the folder where that notes which attempt it has; null for none. */
  readonly group: (ControlGroup & { readonly notes: string }) | null;
}

/** What the attempt's `status` says, read once. */
export function readRecords(dir: string): AttemptRecords {
  const text = readOr(join(dir, 'status'));
  const lines = wholeLines(text ?? '');
  return {
    status: text === null ? { kind: 'none' } : statusIn(lines),
    boot: bootIn(lines),
    group: groupIn(lines),
  };
}

/** How far the attempt has come. */
export function readStatus(dir: string): AttemptStatus {
  const text = readOr(join(dir, 'status'));
  return text === null ? { kind: 'none' } : statusIn(wholeLines(text));
}

/** The boot that the attempt was started in, '' when it is not on record. */
export function readBoot(dir: string): string {
  return readRecords(dir).boot;
}

/** The control group of the attempt's shim; null for none. */
export function readGroup(dir: string): AttemptRecords['group'] {
  return readRecords(dir).group;
}

function statusIn(lines: readonly string[]): AttemptStatus {
  let shim: RecordedProcess | null = null;
  let agent: RecordedProcess | null = null;
  let code: number | null = null;
  let over: LimitKind | null = null;
  let isVoid = false;
  for (const line of lines) {
    const started = /^(shim|agent) (\d+) (.+) \.$/.exec(line);
    if (started !== null) {
      const found = { pid: Number(started[2]), start: started[3] ?? '' };
      if (started[1] === 'shim') shim = found;
      else agent = found;
      continue;
    }
    const exited = /^exit (\d{1,3}) \.$/.exec(line);
    if (exited !== null) code = Number(exited[1]);
    if (line === 'over processes .') over = 'processes';
    if (line === 'over memory .') over = 'memory';
    if (line === 'void .') isVoid = true;
  }
  if (isVoid) return { kind: 'void' };
  if (code !== null) return { kind: 'exited', shim, agent, code, over };
  if (agent !== null) return { kind: 'running', shim, agent };
  return { kind: 'claimed', shim };
}

function bootIn(lines: readonly string[]): string {
  return (
    lines.map((line) => /^boot (\S+) \.$/.exec(line)?.[1] ?? '').findLast((boot) => boot !== '') ??
    ''
  );
}

function groupIn(lines: readonly string[]): AttemptRecords['group'] {
  const folder = (name: string): string | null => {
    const line = lines.find((one) => one.startsWith(`${name} /`) && one.endsWith(' .'));
    return line?.slice(name.length + 1, -2) ?? null;
  };
  const [pids, memory] = [folder('pids'), folder('memory')];
  return pids === null && memory === null ? null : { pids, memory, notes: folder('notes') ?? '' };
}

/** Claims an attempt that nobody claimed, so that it never starts. False when someone was there before. */
export function voidAttempt(dir: string): boolean {
  return createExclusively(join(dir, 'status'), 'void .\n');
}

/** Takes away the claim of an attempt that was called off before its agent: nothing of it runs, or ever did. */
export function removeClaim(dir: string): void {
  rmSync(join(dir, 'status'), { force: true });
}

/** Writes who ends the attempt, before it is ended. The first word stands: false when there was one. */
export function markStopped(dir: string, why: StopReason): boolean {
  return createExclusively(join(dir, 'stopped'), `${why}\n`);
}

/** Who ended the attempt, or null when nobody did. */
export function readStopped(dir: string): StopReason | null {
  const line = readOr(join(dir, 'stopped'))?.trim();
  return stopReasons.find((reason) => reason === line) ?? null;
}

/** Tells the watchdog that a loop is there: what counts is that the content is another. Makes a folder that is gone. */
export function markWatched(dir: string): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  // Renamed into place: what an agent put there instead must not block or lead elsewhere.
  const making = join(dir, 'watched.new');
  rmSync(making, { recursive: true, force: true });
  writeFileSync(making, `${Date.now()}\n`, { flag: 'wx', mode: 0o600 });
  renameSync(making, join(dir, 'watched'));
}

/** The watchdog of the attempt, or null when it is not on record. */
export function readWatchdog(dir: string): RecordedProcess | null {
  const match = /^(\d+) (.+) \.\n/.exec(readOr(join(dir, 'watchdog')) ?? '');
  return match === null ? null : { pid: Number(match[1]), start: match[2] ?? '' };
}

/** Value of CZAR_ATTEMPT_KEY, which marks every process of the attempt; always of one length. */
export function attemptKey(dir: string): string {
  return createHash('sha256').update(resolve(dir)).digest('hex').slice(0, 32);
}

/** How an attempt whose exit is on record ended. */
export function endOf(
  dir: string,
  { code, over }: { readonly code: number; readonly over: LimitKind | null },
): AttemptEnd {
  const why = readStopped(dir) ?? over;
  return why === null ? { how: 'exited', code } : { how: 'stopped', why, code };
}

/** How an attempt ended whose exit is on no record. */
export function endWithoutExit(dir: string, why: string): AttemptEnd {
  const stopped = readStopped(dir);
  return stopped === null ? { how: 'lost', why } : { how: 'stopped', why: stopped, code: null };
}

function wholeLines(text: string): readonly string[] {
  return text.split('\n').slice(0, -1);
}

function readOr(file: string): string | null {
  const found = openPlainFile(file);
  if (found === null) return null;
  try {
    return readFileSync(found, 'latin1');
  } finally {
    closeSync(found);
  }
}

function createExclusively(file: string, text: string): boolean {
  // Whoever cleans the checkout takes the folder away; what was decided must stand all the same.
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, text, { flag: 'wx', mode: 0o600, flush: true });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
