/**
 * The shims of a loop, one for each attempt that lives now, used again for the next: starting a process from a loop
 * that has grown costs what the loop weighs, and a shim that waits is next to nothing.
 *
 * Owns the shims' pipes and the keeper. Invariants: a shim has one attempt at a time, and gets the next one only after
 * its owner said that nothing of the last is left (`release`): what one attempt leaves in the shim's session would be
 * taken for another's. Losing a shim or the keeper loses no attempt: the records in the folders are what counts.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { AttemptLimits } from '../core/plan.ts';
import {
  hitLimit,
  makeGroup,
  removeGroup,
  sweepGroups,
  type ControlGroup,
} from './control-group.ts';
import { bootId } from './identity.ts';
import { folderLine, runnerText, shimName } from './runner-text.ts';
import type { RecordedProcess } from './status.ts';
import type { OtherAttempts } from './tree.ts';
import { keeperText, watchdogText } from './watchdog-text.ts';

/** What a shim says of its attempt. */
export type ShimWord =
  | { readonly kind: 'agent'; readonly process: RecordedProcess }
  | { readonly kind: 'refused'; readonly code: number }
  /** `last`: its shim takes no other. */
  | { readonly kind: 'exit'; readonly last: boolean }
  /** The shim itself ended. */
  | { readonly kind: 'gone' };

interface Shim {
  readonly child: ChildProcess;
  /** Environment and limits: an attempt gets a shim that has just its own. */
  readonly kind: string;
  readonly group: ControlGroup | null;
  dir: string | null;
  /** Since when a child waits, of `performance.now()`. */
  waitsSince: number;
  /** It ends with this attempt. */
  last: boolean;
  /** The last word of its attempt. */
  said: ShimWord | null;
  told: (word: ShimWord) => void;
}

/** How long a shim may take to end, milliseconds; its group is left to the next loop then. */
const restMs = 1_000;

/** An attempt for a shim. */
export interface ShimJob {
  readonly dir: string;
  readonly env: NodeJS.ProcessEnv;
  readonly limits: AttemptLimits;
}

/** Shims that wait at most. */
const maxIdle = 16;
/** So many agents are remembered by their pids, and so many children of shims. */
const maxKnown = 256;
/** So long a child of a shim is known by its pid alone, milliseconds; in less no machine gives it out again. */
const knownMs = 2_000;

/** The shims of one loop; `using` lets them end as soon as they have nothing. */
export class Runners implements Disposable {
  readonly #notes: string;
  readonly #idle: Shim[] = [];
  readonly #busy = new Map<string, Shim>();
  /** Pids of the shims that live. */
  readonly #shims = new Set<number>();
  /** Folders of the attempts of which agents were told last, by pid. */
  readonly #agents = new Map<number, string>();
  /** Children of shims that were seen last, with the pids of those. */
  readonly #children = new Map<number, { readonly of: number; readonly seen: number }>();
  /** Control groups that something was left in. */
  readonly #groups = new Set<ControlGroup>();
  readonly #grouped: boolean;
  readonly #maxWaitMs: number;
  #keeper: ChildProcess | null = null;
  #closed = false;

  /**
   * `folder` is for the notes of this loop's shims; it is made when it is needed. `grouped` is false where the kernel is
   * not to hold attempts, though it could. The child of a shim waits for an attempt for `maxWaitMs` at most.
   */
  constructor(
    folder: string,
    {
      grouped = true,
      maxWaitMs = 1_000,
    }: { readonly grouped?: boolean; readonly maxWaitMs?: number } = {},
  ) {
    this.#notes = join(folder, String(process.pid));
    this.#maxWaitMs = maxWaitMs;
    // A record of several lines would not be read as one.
    this.#grouped = grouped && !folder.includes('\n');
  }

  /**
   * Gives the attempt in the folder to a shim whose environment is `env`, and that the kernel holds to the limits where
   * it can. It claims the attempt and waits for `go` before it starts anything. `told` hears what becomes of it, until
   * somebody else listens. Throws when no shim can be started.
   */
  start({ dir, env, limits }: ShimJob, told: (word: ShimWord) => void): void {
    const before = this.#busy.get(dir);
    if (before !== undefined) retire(before);
    const kind = JSON.stringify([limits, env]);
    const at = this.#idle.findLastIndex((shim) => shim.kind === kind);
    const shim = at < 0 ? this.#spawn({ env, limits, kind }) : this.#idle.splice(at, 1)[0];
    if (shim === undefined) throw new Error('there is no shim');
    shim.dir = dir;
    shim.said = null;
    shim.told = told;
    this.#busy.set(dir, shim);
    hold(shim.child, true);
    // Of what began before its agent nothing can be an attempt's: so that began just now.
    const replace = performance.now() - shim.waitsSince > this.#maxWaitMs ? '\n' : '';
    shim.child.stdin?.write(`${replace}${folderLine(dir)}`);
  }

  /** All is in the folder that the attempt starts with. */
  go(dir: string): void {
    this.#busy.get(dir)?.child.stdin?.write('\n');
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
    this.#tidy();
    const shim = this.#busy.get(dir);
    if (shim === undefined) return;
    this.#busy.delete(dir);
    shim.dir = null;
    // What it says of this attempt must not be taken for a word of the next.
    const isOver = shim.said?.kind === 'exit';
    if (this.#closed || !isOver || isLast(shim) || this.#idle.length >= maxIdle)
      return retire(shim);
    shim.told = ignore;
    shim.waitsSince = performance.now();
    shim.child.stdin?.write('\n');
    hold(shim.child, false);
    this.#idle.push(shim);
  }

  /** What this loop knows of other attempts than that in the folder. */
  besides(dir: string): OtherAttempts {
    const own = this.#busy.get(dir)?.child.pid;
    return {
      isKnown: (pid) => {
        const of = this.#agents.get(pid);
        if (of !== undefined) return of !== dir;
        const child = this.#children.get(pid);
        return child !== undefined && child.of !== own && performance.now() - child.seen < knownMs;
      },
      noteOfShim: ({ pid, ppid }) => {
        if (ppid === own || !this.#shims.has(ppid)) return false;
        remember(this.#children, pid, { of: ppid, seen: performance.now() });
        return true;
      },
    };
  }

  /** The attempt will not run: its shim may hang, and gets no other. Resolves when that has ended. */
  async abandon(dir: string): Promise<void> {
    const shim = this.#busy.get(dir);
    this.#busy.delete(dir);
    if (shim === undefined) return;
    const ended = once(shim.child, 'exit');
    retire(shim);
    if (shim.child.exitCode === null && shim.child.signalCode === null) await ended;
  }

  /** No shim gets another attempt; those that have one finish it. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const shim of [...this.#idle, ...this.#busy.values()]) retire(shim);
    this.#keeper?.stdin?.end();
    this.#tidy();
    // The keeper still reads the notes of attempts that go on.
    if (this.#busy.size === 0) rmSync(this.#notes, { recursive: true, force: true });
  }

  /** Resolves when the shims that had nothing to do have ended, and what the kernel held them by is gone. */
  async rested(): Promise<void> {
    const gone = this.#idle.map(({ child }) => once(child, 'exit'));
    const { promise, resolve } = Promise.withResolvers<void>();
    const patience = setTimeout(resolve, restMs);
    await Promise.race([Promise.all(gone), promise]);
    clearTimeout(patience);
  }

  #spawn({ env, limits, kind }: Omit<ShimJob, 'dir'> & { readonly kind: string }): Shim {
    this.#keep();
    const group = this.#grouped ? makeGroup(limits) : null;
    const folders = [group?.pids ?? '', group?.memory ?? ''];
    const child = spawn(
      '/bin/sh',
      ['-c', runnerText, shimName, this.#notes, bootId(), ...folders],
      {
        cwd: '/',
        env,
        detached: true,
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    );
    if (child.pid !== undefined) this.#shims.add(child.pid);
    const shim: Shim = {
      child,
      kind,
      group,
      dir: null,
      waitsSince: performance.now(),
      last: false,
      said: null,
      told: ignore,
    };
    let rest = '';
    child.stdout?.setEncoding('latin1').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const word = wordIn(line);
        if (word?.kind === 'agent' && shim.dir !== null)
          remember(this.#agents, word.process.pid, shim.dir);
        if (word !== null) say(shim, word);
      }
    });
    const gone = (): void => {
      if (child.pid !== undefined) this.#shims.delete(child.pid);
      const at = this.#idle.indexOf(shim);
      if (at >= 0) this.#idle.splice(at, 1);
      say(shim, { kind: 'gone' });
      if (shim.dir !== null && this.#busy.get(shim.dir) === shim) this.#busy.delete(shim.dir);
      if (group !== null) this.#groups.add(group);
      this.#tidy();
    };
    child.once('exit', gone);
    child.once('error', gone);
    // What cannot be written any more is told by its end.
    child.stdin?.on('error', ignore);
    return shim;
  }

  #tidy(): void {
    for (const group of this.#groups) if (removeGroup(group)) this.#groups.delete(group);
  }

  #keep(): ChildProcess | null {
    if (this.#keeper !== null || this.#closed) return this.#keeper;
    mkdirSync(this.#notes, { recursive: true, mode: 0o700 });
    if (this.#grouped) sweepGroups();
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

/** Whether what its group has counted would count for the next; what it says of that may be on its way. */
function isLast({ last, group }: Shim): boolean {
  return last || (group !== null && (group.memory !== null || hitLimit(group) !== null));
}

/** Keeps what came last of many. */
function remember<T>(known: Map<number, T>, pid: number, of: T): void {
  known.delete(pid);
  known.set(pid, of);
  const [oldest] = known.keys();
  if (known.size > maxKnown && oldest !== undefined) known.delete(oldest);
}

/** It finishes what it has, and ends. */
function retire(shim: Shim): void {
  shim.told = ignore;
  shim.child.stdin?.end();
  hold(shim.child, false);
}

function wordIn(line: string): ShimWord | null {
  const [, word, first, rest] = /^(\w+) (\d+)(?: (.+))? \.$/.exec(line) ?? [];
  if (word === 'agent')
    return { kind: 'agent', process: { pid: Number(first), start: rest ?? '' } };
  if (word === 'refused') return { kind: 'refused', code: Number(first) };
  return word === 'exit' ? { kind: 'exit', last: rest === 'last' } : null;
}

function say(shim: Shim, word: ShimWord): void {
  if (word.kind === 'exit') shim.last = word.last;
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
