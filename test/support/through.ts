/**
 * What leads the runs of the tests: the process of `czar run` itself, or (`CZAR_TEST_THROUGH=daemon`) a daemon that the
 * same `czar run` is attached to, so that every test of one is a test of the other.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { identify, liveness } from '../../src/process/identity.ts';
import type { ProcessIdentity } from '../../src/core/events.ts';

/** Who leads a run. */
export type Through = 'terminal' | 'daemon';

/** Who leads the runs of tests that do not say so themselves. */
export const usually: Through =
  process.env['CZAR_TEST_THROUGH'] === 'daemon' ? 'daemon' : 'terminal';

/** Skips a test when runs go through a daemon; says why it makes no sense there. */
export function inTerminal(why: string): { readonly skip: string | false } {
  return { skip: usually === 'daemon' ? `in a terminal only: ${why}` : false };
}

/** A test of the ordinary suite whose runs are led in both ways. */
export function bothWays(name: string, act: (through: Through) => Promise<void>): void {
  test(name, async () => act(usually));
  if (usually === 'terminal') test(`${name} (through a daemon)`, async () => act('daemon'));
}

const wrapper = join(import.meta.dirname, 'through-daemon.sh');

/** The program and its arguments that start czar. */
export function startedThrough(
  through: Through,
  launcher: string,
  args: readonly string[],
): readonly [string, readonly string[]] {
  return through === 'daemon' && args[0] === 'run'
    ? ['/bin/sh', [wrapper, launcher, ...args]]
    : [launcher, args];
}

/** The daemon that says that it leads the repository; null without one. */
export function daemonIn(repo: string): ProcessIdentity | null {
  const file = join(repo, '.git/czar/owner.json');
  if (!existsSync(file)) return null;
  try {
    const owner = JSON.parse(readFileSync(file, 'utf8'));
    const found = owner.daemon === undefined ? 'gone' : identify(owner.pid);
    return typeof found === 'string' ? null : found;
  } catch {
    return null;
  }
}

/** Resolves when the process is gone. Throws after `patienceMs`. */
export async function goneFrom(one: ProcessIdentity, patienceMs: number): Promise<void> {
  const since = performance.now();
  while (liveness(one) !== 'gone') {
    if (performance.now() - since > patienceMs) throw new Error(`process ${one.pid} has not ended`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
