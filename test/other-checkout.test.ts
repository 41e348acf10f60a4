/** Commands that are typed in another checkout of the repository than the one that a run was started from. */
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { only } from './support/log.ts';
import { Scratch, type Running } from './support/scratch.ts';

/** A run of one worker in a linked worktree, whose czar was killed while its agent was at work. */
async function leftAlone(scratch: Scratch): Promise<{
  readonly side: string;
  readonly agent: Awaited<ReturnType<Scratch['stubs']['agent']>>;
}> {
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]');
  scratch.commitAll();
  const side = join(scratch.base, 'side');
  scratch.git('worktree', 'add', '-q', '-b', 'topic', side);
  const run: Running = scratch.start('run', '--repo', side);
  const agent = await scratch.stubs.agent('a');
  await agent.write('a.txt', 'a\n');
  await run.seen('a starting → active');
  run.child.kill('SIGKILL');
  await run.finished;
  return { side, agent };
}

test('trees and outputs of a run are found from every checkout, and a cancel brings its work home', async () => {
  await using scratch = await Scratch.make();
  const { side, agent } = await leftAlone(scratch);
  agent.exit(0);
  await agent.gone;
  const says = async (said: RegExp, ...asked: readonly string[]): Promise<void> => {
    const { code, stdout, stderr } = await scratch.czar(...asked);
    assert.equal(code, 0, stderr);
    assert.match(stdout, said);
  };
  await says(/side\/\.czar\/worktrees\/a$/m, 'path', 'a');
  assert.equal((await scratch.json('worktree', 'list')).worktrees[0].there, true);
  await says(/a.* is active/, 'worktree', 'cleanup');
  await says(/^The run is cancelled; its work is kept\.$/m, 'cancel');
  assert.deepEqual(only(await scratch.events(), 'attempt.ended').data.end, {
    how: 'exited',
    code: 0,
  });
  await says(/\/a\/1 .*left by attempt 1 of a/, 'kept', 'list');
  await says(/worktrees\/a is removed/, 'worktree', 'cleanup', 'a');
  await says(/"worktrees":\[\]/, 'worktree', 'list', '--json', '--repo', side);
});

test('a run whose checkout is gone is not said to go on there', async () => {
  await using scratch = await Scratch.make();
  const { side, agent } = await leftAlone(scratch);
  agent.exit(0);
  await agent.gone;
  const beside = await scratch.czar('run');
  assert.equal(beside.code, 4);
  assert.match(beside.stderr, /live in another checkout .*\n +at .*\/side\n +next: czar run there/);
  rmSync(side, { recursive: true });
  const alone = await scratch.czar('run');
  assert.equal(alone.code, 4);
  assert.match(
    alone.stderr,
    /another checkout of this repository, which is gone[^]*czar cancel --run/,
  );
});

test('a run that failed in another checkout is not gone on with here, where its trees are not', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a', 'retry: {max_attempts: 1}');
  scratch.commitAll();
  const side = join(scratch.base, 'side');
  scratch.git('worktree', 'add', '-q', '-b', 'topic', side);
  const run: Running = scratch.start('run', '--repo', side);
  (await scratch.stubs.agent('a')).exit(1);
  await run.finished;
  for (const asked of [['run'], ['run', '--failed']]) {
    const { code, stderr } = await scratch.czar(...asked);
    assert.equal(code, 4, stderr);
    assert.match(
      stderr,
      /failures in another checkout of this repository\n +at .*\/side\n +next: czar run --failed there/,
    );
  }
  rmSync(side, { recursive: true });
  const { code, stderr } = await scratch.czar('run', '--failed');
  assert.equal(code, 4);
  assert.match(stderr, /another checkout of this repository, which is gone[^]*czar run --new/);
});

test('a tree is made in the checkout of its run, and where that is gone no verb takes this one for it', async () => {
  await using scratch = await Scratch.make();
  const { side, agent } = await leftAlone(scratch);
  agent.exit(0);
  await agent.gone;
  const made = await scratch.czar('create-worktree', 'b');
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /side\/\.czar\/worktrees\/b$/m);
  assert.equal(existsSync(join(side, '.czar/worktrees/b')), true);
  assert.equal(existsSync(join(scratch.repo, '.czar/worktrees/b')), false);
  rmSync(side, { recursive: true });
  for (const asked of ['worktree merge a', 'create-worktree b', 'submit a']) {
    const { code, stderr } = await scratch.czar(...asked.split(' '));
    assert.equal(code, 4, `${asked}: ${stderr}`);
    assert.match(
      stderr,
      /trees of run .* are in another checkout of this repository, which is gone/,
    );
  }
  const { stdout } = await scratch.czar('worktree', 'cleanup', 'b', '--force');
  assert.match(stdout, /b.*its checkout is gone/);
});
