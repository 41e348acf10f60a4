/** `attach`: a person works in a worker's tree, and the worker is at rest meanwhile. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Background } from './support/background.ts';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

/** What is opened instead of a shell. */
function opens(scratch: Scratch, script: string): void {
  const file = join(scratch.base, 'shell');
  writeFileSync(file, `#!/bin/sh\n${script}`);
  chmodSync(file, 0o700);
  scratch.env['SHELL'] = file;
}

test('attach pauses a live worker, opens the shell in its tree without czar’s variables, and resumes it there', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  for (const id of ['a', 'other']) scratch.worker(id);
  scratch.commitAll();
  scratch.env['CZAR_MAX_PARALLEL'] = '2';
  opens(scratch, 'env > ../../../../env; ls > seen.txt; echo mine >> half.txt; echo said\n');
  const run = scratch.start('run');
  const [a, other] = [await scratch.stubs.agent('a'), await scratch.stubs.agent('other')];
  await a.write('half.txt', 'half\n');
  const inside = await a.run('czar', '--repo', scratch.repo, 'attach', 'other');
  assert.equal(inside.code, 4, inside.stderr);

  const attached = await scratch.czar('attach', 'a', '--then', 'resume');
  assert.equal(attached.code, 0, attached.stderr);
  assert.match(attached.stdout, /^said\na goes on in its tree/);
  await a.gone;
  only(scratch.log(), 'worker.paused', 'a');
  const again = await scratch.stubs.agent('a', 2);
  assert.equal(again.cwd, a.cwd);
  assert.equal(readFileSync(join(again.cwd, 'half.txt'), 'utf8'), 'half\nmine\n');
  assert.match(readFileSync(join(again.cwd, 'seen.txt'), 'utf8'), /half\.txt/);
  const env = readFileSync(join(scratch.base, 'env'), 'utf8');
  assert.match(env, /^HOME=/m);
  assert.doesNotMatch(env, /^(?:CZAR|MALLOC)_/m);
  again.exit();
  await scratch.happened('worker.complete', 'a');
  assert.equal((await scratch.czar('attach', 'a')).code, 4);
  other.exit();
  assert.equal((await run.finished).code, 0);
  assert.deepEqual(all(scratch.log(), 'worker.paused', 'other'), []);
});

test('attach works with no czar alive: what was made in the tree is submitted, and the next run merges it', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('czar emit ask "which?"\n');
  scratch.worker('a');
  scratch.commitAll();
  opens(scratch, 'echo mine > mine.txt; exit 3\n');
  assert.equal((await scratch.czar('run')).code, 5);
  const left = await scratch.json('attach', 'a');
  assert.match(left.done, /left as it is/);
  assert.equal((await scratch.json('status')).workers[0].state, 'paused', 'nobody could be asked');
  const submitted = await scratch.czar('attach', 'a', '--then', 'submit');
  assert.equal(submitted.code, 0, submitted.stderr);
  assert.match(submitted.stderr, /czar run/);
  assert.equal((await scratch.czar('run')).code, 0);
  const { integration } = only(scratch.log(), 'run.started').data;
  assert.equal(scratch.git('show', `${integration}:mine.txt`), 'mine');
});

test('attach is refused without a worker, a tree or a program, and where nobody could stop the agent; nothing changes then', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]');
  scratch.commitAll();
  opens(scratch, 'touch ../../../../opened\n');
  await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  assert.equal((await scratch.czar('attach', 'nobody')).code, 3);
  assert.equal((await scratch.czar('attach', 'a', '--then', 'merge')).code, 2);
  const treeless = await scratch.czar('attach', 'b');
  assert.equal(treeless.code, 4);
  assert.match(treeless.stderr, /b has no working tree yet/);
  const { SHELL } = scratch.env;
  scratch.env['SHELL'] = join(scratch.base, 'nothing');
  const missing = await scratch.czar('attach', 'a');
  assert.equal(missing.code, 4);
  assert.match(missing.stderr, /nothing does not exist/);
  scratch.env['SHELL'] = SHELL;
  assert.equal((await scratch.czar('daemon', 'stop')).code, 0);
  await daemon.ended();
  const alone = await scratch.czar('attach', 'a');
  assert.equal(alone.code, 4);
  assert.match(alone.stderr, /no czar is there[^]*czar daemon start/);
  assert.ok(!existsSync(join(scratch.base, 'opened')));
  assert.deepEqual(all(scratch.log(), 'worker.stop_requested'), []);

  await daemon.start();
  assert.equal((await scratch.czar('attach', 'a')).code, 0);
  await a.gone;
  assert.ok(existsSync(join(scratch.base, 'opened')));
  const { workers } = await scratch.json('status');
  assert.deepEqual(
    workers.map((one: any) => one.state),
    ['paused', 'pending'],
  );
  assert.equal((await scratch.czar('cancel', '--yes')).code, 0);
  await daemon.ended();
});

test('what is typed at an attached program is its own; who ends attach ends it, too, and decides nothing', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('czar emit ask "which?"\n');
  scratch.worker('a');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  opens(
    scratch,
    `trap 'touch "${scratch.base}/told"; exit 0' TERM\ntouch "${scratch.base}/open"\nwhile :; do sleep 0.02; done\n`,
  );
  const attached = scratch.start('attach', 'a', '--then', 'submit');
  await scratch.appears(join(scratch.base, 'open'));
  attached.child.kill('SIGINT');
  attached.child.kill('SIGTERM');
  const { code, signal, stdout } = await attached.finished;
  assert.deepEqual([code, signal], [130, null]);
  assert.match(stdout, /left as it is/);
  assert.ok(existsSync(join(scratch.base, 'told')));
  assert.equal((await scratch.json('status')).workers[0].state, 'paused');
});
