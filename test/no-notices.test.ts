// Where the system tells of no change in a folder (a network file system, no watches left): everything is noticed by a look.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'node:test';
import { Background } from './support/background.ts';
import { Scratch } from './support/scratch.ts';

const noNotices = pathToFileURL(join(import.meta.dirname, 'support/no-notices.mjs'));

/** From now on no czar of the scratch repository hears of changes; gives the folders that a process wanted to hear of. */
function deafen(scratch: Scratch): (pid: number) => readonly string[] {
  const file = join(scratch.base, 'not-heard-of');
  scratch.env['NODE_OPTIONS'] = `--import=${noNotices.href}`;
  scratch.env['NOT_HEARD_OF'] = file;
  return (pid) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .flatMap((line) => (line.startsWith(`${pid} `) ? [line.slice(`${pid} `.length)] : []));
}

test('fault 21: a daemon that hears of no change notices reports, requests and the end of an attempt, and starts what waits for it', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]');
  scratch.commitAll();
  const wanted = deafen(scratch);
  const { run } = await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  // The one that comes after it has no pipe to the attempt's shim: it can only look.
  const before = daemon.kill();
  const { pid } = await daemon.again(before);
  const beside = scratch.start('run');
  await beside.seen('A daemon runs');
  assert.equal((await a.run('czar', 'emit', 'checkpoint', 'half way')).code, 0);
  await scratch.logged((log) => log.find((event) => event.type === 'worker.checkpoint'));
  assert.equal((await scratch.czar('pause', 'b')).code, 0);
  assert.equal((await scratch.czar('resume', 'b')).code, 0);
  a.exit();
  (await scratch.stubs.agent('b')).exit();
  const { code, stdout, stderr } = await beside.finished;
  assert.equal(code, 0, stdout + stderr);
  await daemon.ended();
  assert.deepEqual(scratch.stubs.launches, ['a/1', 'b/1']);
  assert.ok(wanted(pid).includes(join(scratch.repo, '.czar/runs', run, 'a/1')));
});

test('fault 21: who follows the events of a run, its output or the daemon’s log sees all of it without a notice', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  deafen(scratch);
  const following = {
    events: scratch.start('events', '--follow'),
    output: scratch.start('logs', 'a', '--follow'),
    daemon: scratch.start('daemon', 'logs', '--follow'),
  };
  await following.events.seen('WORKER_ACTIVE');
  await following.daemon.seen('starting → active');
  await a.print('hello from a\n');
  await following.output.seen('hello from a');
  a.exit();
  await following.daemon.seen('active → verifying');
  assert.equal((await following.output.finished).code, 0);
  await following.events.seen('RUN_COMPLETE');
  for (const one of [following.events, following.daemon]) {
    one.child.kill('SIGINT');
    await one.finished;
  }
  await daemon.ended();
});
