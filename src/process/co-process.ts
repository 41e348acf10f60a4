/**
 * A program that stays: it reads requests on its stdin and answers each on its stdout, in order. For programs that would
 * otherwise be started for every question.
 *
 * Owns the process, in a group of its own. Invariants: an answer is whole or there is none; once one is overdue or
 * cannot be read, the process ends and every open request is answered by null, and so is each later one. It never keeps
 * this process alive while nothing is asked, and ends by itself when this process does, since its stdin closes.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

export interface CoProcessOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds that one answer may take. */
  readonly timeoutMs: number;
}

/**
 * Reads an answer at the beginning of `bytes`: its value and length, or how many bytes must be there before it is worth
 * looking again. A throw means that this is no answer at all.
 */
export type ReadAnswer<T> = (
  bytes: Buffer,
) => { readonly value: T; readonly length: number } | { readonly needs: number };

interface Waiting {
  /** Whether the answer was there; takes it from the bytes. */
  readonly take: () => boolean;
  readonly give: () => void;
}

const killAfterMs = 2_000;

export class CoProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #timeoutMs: number;
  readonly #gone = Promise.withResolvers<void>();
  #open: Waiting[] = [];
  #unsent: string[] = [];
  #chunks: Buffer[] = [];
  #size = 0;
  #needs = 1;
  #ended = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: CoProcessOptions) {
    const [program = '', ...args] = options.argv;
    this.#timeoutMs = options.timeoutMs;
    this.#child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#child.stdin?.on('error', () => this.#end());
    this.#child.once('error', () => {
      this.#end();
      if (this.#child.pid === undefined) this.#gone.resolve();
    });
    this.#child.once('close', () => {
      this.#end();
      this.#gone.resolve();
    });
    this.#hold(false);
  }

  /** Whether it answers no more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Asks, and gives the answer; null when there is none. Any number may be asked before the first is answered. */
  ask<T>(request: string, read: ReadAnswer<T>): Promise<T | null> {
    if (this.#ended) return Promise.resolve(null);
    const { promise, resolve } = Promise.withResolvers<T | null>();
    const take = (): boolean => {
      const answer = read(this.#bytes());
      if ('needs' in answer) {
        this.#needs = answer.needs;
        return false;
      }
      this.#drop(answer.length);
      resolve(answer.value);
      return true;
    };
    this.#open.push({ take, give: () => resolve(null) });
    if (this.#open.length === 1) this.#begin();
    // What is asked in one go is written in one go.
    if (this.#unsent.push(request) === 1) queueMicrotask(() => this.#send());
    return promise;
  }

  /** Lets it end and waits for that. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#hold(true);
    this.#end(true);
    await this.#gone.promise;
  }

  #send(): void {
    const request = this.#unsent.splice(0).join('');
    if (!this.#ended) this.#child.stdin?.write(request);
  }

  #begin(): void {
    this.#hold(true);
    this.#needs = 1;
    this.#timer = setTimeout(() => this.#end(), this.#timeoutMs);
  }

  #receive(chunk: Buffer): void {
    if (this.#ended) return;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    try {
      for (let next = this.#open[0]; next !== undefined; next = this.#open[0]) {
        if (this.#size < this.#needs || !next.take()) return;
        this.#open.shift();
        clearTimeout(this.#timer);
        if (this.#open.length > 0) this.#begin();
        else this.#hold(false);
      }
    } catch {
      this.#end();
      return;
    }
    // Nobody asked for this.
    if (this.#size > 0) this.#end();
  }

  #bytes(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #drop(length: number): void {
    const rest = this.#bytes().subarray(length);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#size = rest.length;
    this.#needs = 1;
  }

  /** `idle`: it has nothing left to do and reads the end of its input. */
  #end(idle = false): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#child.stdin?.destroy();
    this.#child.stdout?.destroy();
    if (!idle || this.#open.length > 0) this.#signal('SIGTERM');
    const kill = setTimeout(() => this.#signal('SIGKILL'), killAfterMs).unref();
    this.#child.once('exit', () => clearTimeout(kill));
    for (const waiting of this.#open.splice(0)) waiting.give();
    this.#chunks = [];
  }

  #signal(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined || this.#child.exitCode !== null) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // Its group is empty.
    }
  }

  /** Whether this process waits for it. */
  #hold(held: boolean): void {
    for (const each of [this.#child, this.#child.stdin, this.#child.stdout]) {
      if (each === null || !('ref' in each) || typeof each.ref !== 'function') continue;
      if (held) each.ref();
      else if ('unref' in each && typeof each.unref === 'function') each.unref();
    }
  }
}
