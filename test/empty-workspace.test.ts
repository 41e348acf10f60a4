/** Workers with an empty workspace: what they may find of the repository, and what is told of them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scratch } from './support/scratch.ts';

test('a folder of its own without a repository: git finds none, and what is left in it is kept', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a', 'workspace: empty\ndeliverables: [notes.md]\nverify: test -s notes.md\n');
  scratch.commitAll();
  const running = scratch.start('run');
  const agent = await scratch.stubs.agent('a');
  await agent.write('notes.md', 'what it found\n');
  for (const command of [
    ['rev-parse', '--show-toplevel'],
    ['add', '-A'],
    ['commit', '-q', '-m', 'x'],
  ])
    assert.notEqual((await agent.run('git', ...command)).code, 0, command.join(' '));
  // What the launcher sets is for czar's own process.
  assert.doesNotMatch((await agent.run('env')).stdout, /^(?:MALLOC_|CZAR_LAUNCHER)/m);
  scratch.assertUntouched();
  agent.exit();
  const done = await running.finished;
  assert.equal(done.code, 0, done.stderr);
  const { kept } = await scratch.json('kept', 'list', 'a');
  assert.equal(scratch.git('show', `${kept.at(-1).ref}:notes.md`), 'what it found');
  const { gates } = await scratch.json('gate', 'a');
  assert.deepEqual(
    gates.map((one: any) => [one.gate, one.result]),
    [
      ['deliverables', 'pass'],
      ['handoff', 'pass'],
      ['verify', 'pass'],
    ],
  );
  assert.match((await scratch.czar('diff', 'a')).stderr, /empty workspace.*\n.*czar kept show a$/m);
  assert.match(
    (await scratch.czar('branch', 'status', 'a')).stderr,
    /empty workspace, and no branch/,
  );
  assert.match((await scratch.czar('worktree', 'list')).stdout, / no branch$/m);
  assert.deepEqual((await scratch.json('closeout')).open, [], 'what it found is meant to be kept');
});
