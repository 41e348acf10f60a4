/**
 * The shims of a loop, one for each attempt that lives now, used again for the next: starting a process from a loop
 * that has grown costs what the loop weighs, and a shim that waits is next to nothing.
 *
 * Owns the shims' pipes and the keeper. Invariants: a shim has one attempt at a time, and gets the next one only after
 * its owner said that nothing of the last is left (`release`): what one attempt leaves in the shim's session would be
 * taken for another's. Losing a shim or the keeper loses no attempt: the records in the folders are what counts.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { bootId } from './identity.ts';
import { folderLine, runnerText, shimName } from './runner-text.ts';
import type { RecordedProcess } from './status.ts';
import { keeperText, watchdogText } from './watchdog-text.ts';

/** What a shim says of its attempt. */
export type ShimWord =
  | { readonly kind: 'agent'; readonly process: RecordedProcess }
  | { readonly kind: 'refused'; readonly code: number }
  | { readonly kind: 'exit' }
  /** The shim itself ended. */
  | { readonly kind: 'gone' };

interface Shim {
  readonly child: ChildProcess;
  readonly environment: string;
  dir: string | null;
  /** The last word of its attempt. */
  said: ShimWord | null;
  told: (word: ShimWord) => void;
}

/** Shims that wait at most. */
const maxIdle = 16;

/** The shims of one loop; `using` lets them end as soon as they have nothing. */
export class Runners implements Disposable {
  readonly #notes: string;
  readonly #idle: Shim[] = [];
  readonly #busy = new Map<string, Shim>();
  #keeper: ChildProcess | null = null;
  #closed = false;

  /** `folder` is for the notes of this loop's shims; it is made when it is needed. */
  constructor(folder: string) {
    this.#notes = join(folder, String(process.pid));
  }

  /**
   * Gives the attempt in the folder to a shim whose environment is `env`. `told` hears what becomes of it, until
   * somebody else listens. Throws when no shim can be started.
   */
  start(dir: string, env: NodeJS.ProcessEnv, told: (word: ShimWord) => void): void {
    const before = this.#busy.get(dir);
    if (before !== undefined) retire(before);
    const environment = JSON.stringify(env);
    const at = this.#idle.findLastIndex((shim) => shim.environment === environment);
    const shim = at < 0 ? this.#spawn(env, environment) : this.#idle.splice(at, 1)[0];
    if (shim === undefined) throw new Error('there is no shim');
    shim.dir = dir;
    shim.said = null;
    shim.told = told;
    this.#busy.set(dir, shim);
    hold(shim.child, true);
    shim.child.stdin?.write(folderLine(dir));
  }

  /** Lets the watchdog of an attempt that goes on be started. */
  guard(dir: string): void {
    this.#keep()?.stdin?.write(folderLine(dir));
  }

  /**
   * Listens to the shim of an attempt, from its last word on; disposed, nobody does. Null when no shim of this loop has
   * it.
   */
  listen(dir: string, told: (word: ShimWord) => void): Disposable | null {
    const shim = this.#busy.get(dir);
    if (shim === undefined) return null;
    shim.told = told;
    if (shim.said !== null) told(shim.said);
    return {
      [Symbol.dispose]: () => {
        if (shim.told === told) shim.told = ignore;
      },
    };
  }

  /** Nothing of the attempt is left: its shim may have another. */
  release(dir: string): void {
    const shim = this.#busy.get(dir);
    if (shim === undefined) return;
    this.#busy.delete(dir);
    shim.dir = null;
    if (this.#closed || this.#idle.length >= maxIdle) return retire(shim);
    shim.told = ignore;
    hold(shim.child, false);
    this.#idle.push(shim);
  }

  /** No shim gets another attempt; those that have one finish it. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const shim of [...this.#idle, ...this.#busy.values()]) retire(shim);
    this.#keeper?.stdin?.end();
    // The keeper still reads the notes of attempts that go on.
    if (this.#busy.size === 0) rmSync(this.#notes, { recursive: true, force: true });
  }

  #spawn(env: NodeJS.ProcessEnv, environment: string): Shim {
    this.#keep();
    const child = spawn('/bin/sh', ['-c', runnerText, shimName, this.#notes, bootId()], {
      cwd: '/',
      env,
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const shim: Shim = { child, environment, dir: null, said: null, told: ignore };
    let rest = '';
    child.stdout?.setEncoding('latin1').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) tell(shim, line);
    });
    const gone = (): void => {
      const at = this.#idle.indexOf(shim);
      if (at >= 0) this.#idle.splice(at, 1);
      say(shim, { kind: 'gone' });
      if (shim.dir !== null && this.#busy.get(shim.dir) === shim) this.#busy.delete(shim.dir);
    };
    child.once('exit', gone);
    child.once('error', gone);
    // What cannot be written any more is told by its end.
    child.stdin?.on('error', ignore);
    return shim;
  }

  #keep(): ChildProcess | null {
    if (this.#keeper !== null || this.#closed) return this.#keeper;
    mkdirSync(this.#notes, { recursive: true, mode: 0o700 });
    const keeper = spawn('/bin/sh', ['-c', keeperText, 'czar-keeper', this.#notes, watchdogText], {
      cwd: '/',
      env: { PATH: '/usr/bin:/bin' },
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const gone = (): void => {
      if (this.#keeper === keeper) this.#keeper = null;
    };
    keeper.once('exit', gone);
    keeper.once('error', gone);
    keeper.stdin?.on('error', ignore);
    hold(keeper, false);
    this.#keeper = keeper;
    return keeper;
  }
}

/** It finishes what it has, and ends. */
function retire(shim: Shim): void {
  shim.told = ignore;
  shim.child.stdin?.end();
  hold(shim.child, false);
}

function tell(shim: Shim, line: string): void {
  const [, word, first, rest] = /^(\w+) (\d+)(?: (.+))? \.$/.exec(line) ?? [];
  if (word === 'agent')
    say(shim, { kind: 'agent', process: { pid: Number(first), start: rest ?? '' } });
  if (word === 'refused') say(shim, { kind: 'refused', code: Number(first) });
  if (word === 'exit') say(shim, { kind: 'exit' });
}

function say(shim: Shim, word: ShimWord): void {
  shim.said = word;
  shim.told(word);
}

/** Whether this process stays for the child's sake. */
function hold(child: ChildProcess, on: boolean): void {
  const streams = [child.stdin, child.stdout].filter((stream) => stream instanceof Socket);
  for (const one of [child, ...streams]) {
    if (on) one.ref();
    else one.unref();
  }
}

function ignore(): void {}
