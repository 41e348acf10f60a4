import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bootId, identify, liveness } from './identity.ts';
import { parsePs, parseStat } from './table.ts';
import type { FactSource } from './table.ts';
import { scan } from './tree.ts';
import { which } from './which.ts';

const home = mkdtempSync(join(tmpdir(), 'czar-identity-'));
after(() => rmSync(home, { recursive: true, force: true }));

/** A process table in a folder. */
function machine(boot: string): FactSource {
  const proc = mkdtempSync(join(home, 'proc-'));
  const bootIdFile = join(proc, 'boot_id');
  writeFileSync(bootIdFile, `${boot}\n`);
  mkdirSync(join(proc, 'self'));
  writeFileSync(join(proc, 'self', 'stat'), '');
  return { platform: 'proc', proc, bootIdFile };
}

function addProcess(
  source: FactSource,
  pid: number,
  start: number,
  more: { state?: string; ppid?: number; env?: string } = {},
): void {
  const dir = join(source.proc, String(pid));
  mkdirSync(dir, { recursive: true });
  const { state = 'S', ppid = 1, env = '' } = more;
  const fields = [state, ppid, pid, pid, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 1, 0, start, 0];
  writeFileSync(join(dir, 'stat'), `${pid} (a) b (c) ${fields.join(' ')}\n`);
  writeFileSync(join(dir, 'environ'), env);
}

test('this process is alive under its own identity', () => {
  const own = identify(process.pid);
  assert.ok(typeof own === 'object');
  assert.equal(liveness(own), 'alive');
  assert.notEqual(bootId(), '');
});

test('a process that ended is gone', async () => {
  const child = spawn('sleep', ['60']);
  const identity = identify(child.pid ?? 0);
  assert.ok(typeof identity === 'object');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(liveness(identity), 'gone');
});

test('fault 31: a reused pid, another boot and a zombie are gone', () => {
  const source = machine('boot-1');
  addProcess(source, 50, 1000);
  const identity = identify(50, source);
  assert.deepEqual(identity, { pid: 50, start: '1000', boot: 'boot-1' });
  assert.ok(typeof identity === 'object');
  assert.equal(liveness(identity, source), 'alive');
  addProcess(source, 50, 2000);
  assert.equal(liveness(identity, source), 'gone');
  addProcess(source, 50, 1000, { state: 'Z' });
  assert.equal(liveness(identity, source), 'gone');
  addProcess(source, 50, 1000);
  writeFileSync(source.bootIdFile, 'boot-2\n');
  assert.equal(liveness(identity, source), 'gone');
});

test('fault 34: what cannot be read is unknown', () => {
  const source = machine('boot-1');
  addProcess(source, 50, 1000);
  const identity = { pid: 50, start: '1000', boot: 'boot-1' };
  writeFileSync(join(source.proc, '50', 'stat'), 'garbage');
  assert.equal(liveness(identity, source), 'unknown');
  rmSync(join(source.proc, '50'), { recursive: true });
  assert.equal(liveness(identity, source), 'gone');
  rmSync(join(source.proc, 'self'), { recursive: true });
  assert.equal(liveness(identity, source), 'unknown', 'no process is shown at all');
  assert.equal(liveness({ ...identity, boot: '' }, source), 'unknown');
  rmSync(source.bootIdFile);
  assert.equal(liveness(identity, source), 'unknown');
});

test('a start time written in another way cannot be compared', () => {
  const source = machine('boot-1');
  addProcess(source, 50, 1000);
  assert.equal(
    liveness({ pid: 50, start: 'Sat Nov 29 08:03:11 2026', boot: 'boot-1' }, source),
    'unknown',
  );
});

test('a scan keeps to the marker and those below it, and never takes this process or one above', () => {
  const source = machine('boot-1');
  const marked = 'A=1\0CZAR_ATTEMPT_KEY=abc\0';
  addProcess(source, 900_001, 10, { env: marked });
  addProcess(source, 900_002, 11, { ppid: 900_001 });
  addProcess(source, 900_003, 12, { ppid: 900_002 });
  addProcess(source, 900_004, 12, { env: 'CZAR_ATTEMPT_KEY=abcd\0' });
  addProcess(source, 900_005, 12, { env: marked, state: 'Z' });
  addProcess(source, process.pid, 12, { env: marked, ppid: process.ppid });
  addProcess(source, process.ppid, 12, { env: marked, ppid: 900_006 });
  addProcess(source, 900_006, 12, { env: marked });
  const found = scan({ marker: 'abc', roots: [], worktree: null, attemptDir: null, source });
  assert.deepEqual(
    found.map((member) => member.process.pid),
    [900_001, 900_002, 900_003],
  );
});

test('who started others stands before those in a scan: a script whose command is ended first goes on with the next', () => {
  const source = machine('boot-1');
  const marked = 'CZAR_ATTEMPT_KEY=abc\0';
  // Pids that have come round: the script has the highest.
  addProcess(source, 900_009, 10, { env: marked });
  addProcess(source, 900_002, 11, { ppid: 900_009 });
  addProcess(source, 900_003, 12, { ppid: 900_002 });
  addProcess(source, 900_001, 12, { ppid: 900_009 });
  addProcess(source, 900_004, 12, { env: marked });
  const found = scan({ marker: 'abc', roots: [], worktree: null, attemptDir: null, source });
  assert.deepEqual(
    found.map((member) => member.process.pid),
    [900_009, 900_004, 900_002, 900_001, 900_003],
  );
});

test('a root counts only with its own start time and boot', () => {
  const source = machine('boot-1');
  addProcess(source, 900_001, 10);
  const look = (start: string, boot: string): number =>
    scan({
      marker: 'abc',
      roots: [{ pid: 900_001, start, boot }],
      worktree: null,
      attemptDir: null,
      source,
    }).length;
  assert.equal(look('10', 'boot-1'), 1);
  assert.equal(look('9', 'boot-1'), 0);
  assert.equal(look('10', 'boot-0'), 0);
});

test('process names may hold anything', () => {
  assert.equal(parseStat(`7 (x) S 1) R 3 4 5 ${'0 '.repeat(15)}77 0`)?.start, '77');
  assert.equal(parseStat('7 (x'), null);
});

test('lines of ps are read with their start in words', () => {
  const rows = parsePs(
    '  501   1   501 ??  Ss  Sat Nov  9 08:03:11 2026 /usr/sbin/x y\nnonsense\n',
  );
  assert.deepEqual(rows, [
    {
      pid: 501,
      ppid: 1,
      group: 501,
      session: 0,
      terminal: false,
      state: 'S',
      start: 'Sat Nov 9 08:03:11 2026',
      name: '/usr/sbin/x y',
    },
  ]);
});

test('a program is found as the shell would find it, or it is said why not', () => {
  const dir = mkdtempSync(join(home, 'bin-'));
  writeFileSync(join(dir, 'tool'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(dir, 'text'), '', { mode: 0o644 });
  mkdirSync(join(dir, 'folder'));
  const path = `/no/such/folder:${dir}`;
  assert.deepEqual(which({ program: 'tool', path, cwd: '/' }), { path: join(dir, 'tool') });
  assert.deepEqual(which({ program: './tool', path: '', cwd: dir }), { path: join(dir, 'tool') });
  const missing = (program: string): string => {
    const found = which({ program, path, cwd: dir });
    assert.ok('missing' in found);
    return found.missing;
  };
  assert.match(missing('nothing'), /nothing is not on the PATH/);
  assert.match(missing('text'), /text is not executable/);
  assert.match(missing('./folder'), /not a file/);
  assert.match(missing('./nothing'), /does not exist/);
  assert.match(missing(''), /no program/);
  chmodSync(join(dir, 'tool'), 0o644);
  assert.match(missing('tool'), /not executable/);
});
