// The package is taken away and replaced by another version while a daemon of it lives.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Background } from './support/background.ts';
import { all } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

const root = join(import.meta.dirname, '..');

/** Puts the package there as it is built, or as a version that speaks another contract. */
function install(folder: string, { version }: { readonly version: string | null }): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const part of ['bin', 'dist'])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ ...manifest, version: version ?? manifest.version }),
  );
  if (version === null) return;
  const changed = readdirSync(join(folder, 'dist/cli')).filter((name) => {
    if (!name.endsWith('.js')) return false;
    const file = join(folder, 'dist/cli', name);
    const text = readFileSync(file, 'utf8');
    const next = text.replaceAll('contractVersion=1', 'contractVersion=2');
    if (next !== text) writeFileSync(file, next);
    return next !== text;
  });
  assert.ok(changed.length > 0, 'the contract has a version');
}

test('fault 96: a daemon whose package is taken away goes on with all that it does; a newer one is told, and restart brings it up with the agents living on', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  const here = scratch.launcher;
  const folder = join(scratch.base, 'package');
  const installed = join(folder, 'bin/czar');
  install(folder, { version: null });
  scratch.config('checks: "true"\n');
  scratch.worker('a', 'verify: test -f a.txt');
  scratch.worker('b', 'dependencies: [a]');
  scratch.commitAll();
  scratch.launcher = installed;
  const started = await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');

  // Nothing that it has not loaded can be loaded now: a live amendment, limits, gates, a merge and a launch do without.
  rmSync(folder, { recursive: true });
  scratch.launcher = here;
  scratch.worker('c');
  assert.equal((await scratch.czar('plan', 'amend')).code, 0);
  const c = await scratch.stubs.agent('c');
  scratch.config('checks: "true"\nmax_parallel: 3\n');
  await scratch.happened('limits.changed');
  assert.equal((await scratch.czar('tell', 'a', 'go on')).code, 0);
  await a.write('a.txt', 'a\n');
  await a.commit('a');
  a.exit();
  await scratch.happened('worker.complete', 'a');
  const b = await scratch.stubs.agent('b');
  await scratch.happened('worker.active', 'b');
  assert.equal((await scratch.czar('pause', 'c')).code, 0);
  await c.gone;
  await scratch.happened('worker.paused', 'c');
  assert.equal((await scratch.json('daemon', 'status')).pid, started.pid);

  install(folder, { version: '9.9.9' });
  scratch.launcher = installed;
  const refused = await scratch.czar('resume', 'c');
  assert.equal(refused.code, 4);
  assert.match(refused.stderr, /another version[^]*czar daemon restart/);
  assert.equal((await scratch.json('status')).workers.length, 3, 'what only reads still reads');
  const told = await scratch.czar('daemon', 'status');
  assert.match(told.stdout, /This command is czar 9\.9\.9: czar daemon restart changes to it/);
  const restarted = await scratch.json('daemon', 'restart');
  assert.equal(restarted.before, started.pid);
  daemon.look();
  const after = await scratch.json('daemon', 'status');
  assert.deepEqual([after.pid, after.version], [restarted.pid, '9.9.9']);
  scratch.launcher = here;
  const older = await scratch.czar('resume', 'c');
  assert.equal(older.code, 4);
  assert.match(older.stderr, /another version/);
  scratch.launcher = installed;
  const resumed = await scratch.czar('resume', 'c');
  assert.equal(resumed.code, 0, resumed.stderr);
  (await scratch.stubs.agent('c', 2)).exit();
  b.exit();
  await daemon.ended();
  assert.deepEqual(scratch.stubs.launches, ['a/1', 'c/1', 'b/1', 'c/2']);
  assert.equal((await scratch.json('status')).run.state, 'complete');
  assert.deepEqual(
    all(scratch.log(), 'loop.started').map(({ data }) => data.version),
    [JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version, '9.9.9'],
  );
});

test('fault 96: only the command line loads files later than at its start, and a daemon is one verb of it', () => {
  const found = readdirSync(join(root, 'src'), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .filter((file) => /(?:await|=>) import\(/.test(readFileSync(join(root, 'src', file), 'utf8')));
  // The verb mcp loads its server as the first thing it does, and closeout what asks an agent for prose.
  assert.deepEqual(found.toSorted(), [
    'cli/main.ts',
    'cli/verbs.ts',
    'cli/verbs/closeout.ts',
    'cli/verbs/demo.ts',
    'cli/verbs/mcp.ts',
  ]);
});
