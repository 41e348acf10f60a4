/** Attempts of shell scripts under real shims, in a scratch folder. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { AttemptEnd, ProcessIdentity } from '../../src/core/events.ts';
import { type StartOptions, type StartResult } from '../../src/process/attempt.ts';
import { watchFolder } from '../../src/process/changes.ts';
import { followAttempt } from '../../src/process/follow.ts';
import { Runners } from '../../src/process/runners.ts';
import { attemptKey, readStatus } from '../../src/process/status.ts';
import { scan, stopTree, type StopResult } from '../../src/process/tree.ts';

export interface Attempts {
  readonly home: string;
  readonly runners: Runners;
  /** A new folder; what still runs of it is ended after the tests. */
  readonly folder: () => string;
  /** Of a script, which finds its folder in `$DIR`. */
  readonly options: (dir: string, script: string, more?: Partial<StartOptions>) => StartOptions;
}

/** A folder of the test file's own with shims; both are gone after its tests. */
export function scratchAttempts(name: string): Attempts {
  const home = mkdtempSync(join(tmpdir(), `czar-${name}-`));
  const runners = new Runners(join(home, 'shims'));
  const made: string[] = [];
  after(async () => {
    for (const dir of made) {
      const { kind } = readStatus(dir);
      if (kind === 'running' || kind === 'claimed') await stop(dir);
    }
    runners[Symbol.dispose]();
    rmSync(home, { recursive: true, force: true });
  });
  return {
    home,
    runners,
    folder: () => {
      const dir = mkdtempSync(join(home, 'a-'));
      made.push(dir);
      return dir;
    },
    options: (dir, script, more = {}) => ({
      dir,
      argv: ['/bin/sh', '-c', script],
      cwd: home,
      env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
      own: { DIR: dir },
      limits: { processes: null, memoryBytes: null },
      timeoutMs: null,
      unattendedMs: 60_000,
      graceMs: 500,
      ...more,
    }),
  };
}

export function started(result: StartResult): ProcessIdentity {
  assert.ok('started' in result, JSON.stringify(result));
  return result.started;
}

/** How it ended; `runners` are those whose shim has it, where that is to tell of it. */
export async function follow(
  dir: string,
  process: ProcessIdentity,
  runners?: Runners,
): Promise<AttemptEnd | null> {
  const signal = AbortSignal.timeout(15_000);
  const told = runners === undefined ? {} : { runners };
  return followAttempt({ dir, process, signal, onActivity: () => {}, ...told });
}

export async function stop(dir: string, graceMs = 100): Promise<StopResult> {
  return stopTree({ marker: attemptKey(dir), roots: [], worktree: null, attemptDir: dir, graceMs });
}

/** Waits until the file in the folder holds a whole line, and returns its text. */
export async function appears(dir: string, name: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const look = (): void => {
    const file = join(dir, name);
    if (!existsSync(file)) return;
    const text = readFileSync(file, 'utf8');
    if (text.endsWith('\n')) resolve(text);
  };
  using _watch = watchFolder(dir, 1_000, look);
  look();
  return await promise;
}

/** Processes of the attempt that run now. */
export function left(dir: string): readonly unknown[] {
  return scan({ marker: attemptKey(dir), roots: [], worktree: null, attemptDir: dir });
}
