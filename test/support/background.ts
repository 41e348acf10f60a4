/** The daemon of a scratch repository, as a test sees it; none lives on after the test. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, liveness } from '../../src/process/identity.ts';
import type { ProcessIdentity } from '../../src/core/events.ts';
import type { Scratch } from './scratch.ts';

const patienceMs = 40_000;

export interface Lives {
  readonly pid: number;
  readonly guardian: number | null;
}

export class Background implements AsyncDisposable {
  readonly #scratch: Scratch;
  readonly #seen: ProcessIdentity[] = [];

  constructor(scratch: Scratch) {
    this.#scratch = scratch;
  }

  /** `czar daemon start`, which must do well; what it printed. */
  async start(...args: readonly string[]): Promise<any> {
    const { code, stdout, stderr } = await this.#scratch.czar('daemon', 'start', ...args, '--json');
    assert.equal(code, 0, stdout + stderr);
    this.look();
    return JSON.parse(stdout);
  }

  /** Who says that it holds the repository; null when nobody does. */
  look(): Lives | null {
    try {
      const owner = JSON.parse(readFileSync(this.#file('owner.json'), 'utf8'));
      for (const pid of [owner.daemon?.guardian?.pid, owner.pid]) {
        const found = typeof pid === 'number' ? identify(pid) : 'gone';
        if (typeof found !== 'string') this.#seen.push(found);
      }
      return { pid: owner.pid, guardian: owner.daemon?.guardian?.pid ?? null };
    } catch {
      return null;
    }
  }

  /** Kills the daemon as if it had crashed. */
  kill(): Lives {
    const lives = this.look();
    assert.ok(lives !== null, 'no daemon lives');
    process.kill(lives.pid, 'SIGKILL');
    return lives;
  }

  /** The daemon that lives after `before`, started again by the guardian. */
  async again(before: Lives): Promise<Lives> {
    return until(() => {
      const now = this.look();
      return now !== null && now.pid !== before.pid ? now : null;
    }, 'no other daemon came up');
  }

  /** Kills the daemon, and resolves when it is gone. */
  async killed(): Promise<Lives> {
    const { pid } = this.kill();
    const dead = this.#seen.filter((one) => one.pid === pid);
    await until(
      () => (dead.every((one) => liveness(one) === 'gone') ? true : null),
      'it has not died',
    );
    return { pid, guardian: null };
  }

  /** Resolves when daemon and guardian have ended. */
  async ended(): Promise<void> {
    await until(
      () => (this.#seen.every((one) => liveness(one) === 'gone') ? true : null),
      'the daemon has not ended',
    );
  }

  /** What it wrote. */
  log(): string {
    const file = join(this.#scratch.repo, '.czar/logs/daemon.log');
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  /** Resolves when it has written the text. */
  async says(text: string): Promise<void> {
    await until(() => (this.log().includes(text) ? true : null), `it did not say ${text}`);
  }

  #file(name: string): string {
    return join(this.#scratch.repo, '.git/czar', name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.look();
    for (const one of this.#seen) {
      if (liveness(one) === 'alive') process.kill(one.pid, 'SIGKILL');
    }
    await this.ended();
  }
}

async function until<T>(look: () => T | null, otherwise: string): Promise<T> {
  const since = performance.now();
  for (;;) {
    const found = look();
    if (found !== null) return found;
    if (performance.now() - since > patienceMs) throw new Error(otherwise);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
