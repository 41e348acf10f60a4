/**
 * How long this process stands still while it starts a program, with a memory of so many MB:
 * `node start-block.ts MB FOLDER`. Prints the medians of an attempt under a shim and of a plain spawn, milliseconds.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { startAttempt } from '../../src/process/attempt.ts';
import { followAttempt } from '../../src/process/follow.ts';
import { Runners } from '../../src/process/runners.ts';
import { median } from './figure.ts';

const [megabytes = '', folder = ''] = process.argv.slice(2);
const rounds = 40;
// Written to, so that it is resident.
const ballast = Buffer.alloc(Number(megabytes) * 2 ** 20, 1);

using runners = new Runners(join(folder, 'shims'));
const signal = new AbortController().signal;
const attempts: number[] = [];
const spawns: number[] = [];
for (let round = 0; round < rounds; round += 1) {
  const dir = join(folder, `attempt-${round}`);
  const before = performance.now();
  const starting = startAttempt(runners, {
    dir,
    argv: ['true'],
    cwd: folder,
    env: { PATH: process.env['PATH'] },
    own: {},
    limits: { processes: null, memoryBytes: null },
    timeoutMs: null,
    unattendedMs: 60_000,
    graceMs: 1_000,
  });
  const blocked = performance.now() - before;
  const started = await starting;
  if ('failed' in started) throw new Error(started.failed);
  await followAttempt({ dir, process: started.started, signal, runners, onActivity: () => {} });
  runners.release(dir);
  // The first one starts the shim.
  if (round > 0) attempts.push(blocked);
}
// Apart: after a fork each page that is written to is copied first, which an attempt would pay for.
for (let round = 0; round < rounds; round += 1) {
  const from = performance.now();
  const child = spawn('true', { stdio: 'ignore' });
  spawns.push(performance.now() - from);
  await once(child, 'exit');
}
console.log(
  JSON.stringify({ attempt: median(attempts), spawn: median(spawns), kept: ballast.length }),
);
