import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { only, statesOf } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

test('of two workers that change one line the second is blocked, and goes on once a person has resolved it in its tree', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.write('shared.txt', 'one line\n');
  scratch.worker('first');
  scratch.worker('second', 'verify: test -s own.txt');
  scratch.worker('after', 'dependencies: [second]');
  scratch.commitAll();
  const run = scratch.start('run');
  const first = await scratch.stubs.agent('first');
  const second = await scratch.stubs.agent('second');
  await first.write('shared.txt', 'a line of the first\n');
  first.exit();
  await scratch.happened('worker.merged', 'first');
  await second.write('shared.txt', 'first, says the second\n');
  await second.write('own.txt', 'second\n');
  second.exit();
  const ended = await run.finished;
  assert.equal(ended.code, 5);
  const { integration } = only(scratch.log(), 'run.started').data;
  const { commit } = only(scratch.log(), 'worker.merged').data;
  assert.equal(scratch.git('rev-parse', integration), commit);
  assert.deepEqual(only(scratch.log(), 'merge.conflict').data.files, ['shared.txt']);
  const why = (await scratch.czar('why', 'second')).stdout;
  for (const text of [why, ended.stdout]) assert.match(text, /shared\.txt/);
  for (const command of ['git merge refs/czar/integration', 'czar submit second'])
    assert.ok(ended.stdout.includes(command), `${command}\n${ended.stdout}`);

  const tree = (await scratch.czar('path', 'second')).stdout.trim();
  assert.throws(() => scratch.gitIn(tree, 'merge', 'refs/czar/integration'));
  const refused = await scratch.czar('submit', 'second');
  assert.equal(refused.code, 4);
  assert.match(refused.stderr, /shared\.txt/);
  writeFileSync(join(tree, 'shared.txt'), 'resolved, not committed\n');
  const underway = await scratch.czar('submit', 'second');
  assert.equal(underway.code, 4);
  assert.match(underway.stderr, /merge/);
  writeFileSync(join(tree, 'shared.txt'), '<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n');
  scratch.gitIn(tree, 'commit', '-aqm', 'not resolved at all');
  const marked = await scratch.czar('submit', 'second');
  assert.equal(marked.code, 4, 'conflict markers are in it');
  assert.match(marked.stderr, /shared\.txt/);
  writeFileSync(join(tree, 'shared.txt'), 'a line of the first and the second\n');
  scratch.gitIn(tree, 'commit', '-aqm', 'resolved');
  for (const verb of [['status'], ['why', 'second']])
    assert.equal((await scratch.czar(...verb, '--repo', tree)).code, 0, 'inside the tree');
  const submitted = await scratch.czar('submit', 'second', '--repo', tree);
  assert.equal(submitted.code, 0, submitted.stderr);
  assert.match(submitted.stdout + submitted.stderr, /czar run/);

  const go = scratch.start('run');
  (await scratch.stubs.agent('after')).exit();
  assert.equal((await go.finished).code, 0);
  assert.deepEqual(statesOf(scratch.log(), 'second').slice(-4), [
    'blocked',
    'verifying',
    'merging',
    'complete',
  ]);
  const merged = scratch.git('show', `${integration}:shared.txt`);
  assert.equal(merged, 'a line of the first and the second');
  // Of two that start side by side either may speak first.
  assert.deepEqual(scratch.stubs.launches.toSorted(), ['after/1', 'first/1', 'second/1']);
});

test('work whose history is not that of the run is refused with why, and begun anew by what is named', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    '[ $CZAR_ATTEMPT = 1 ] && git update-ref -d HEAD; echo $CZAR_WORKER > own.txt; git add -A; git commit -q -m own\n',
  );
  scratch.worker('a');
  const { code, stdout } = await scratch.czar('run');
  assert.equal(code, 5);
  assert.match(
    stdout,
    /a blocked: its work conflicts with the integration branch: The branch shares no history .* was rewritten/,
  );
  assert.match(stdout, /^ +next: czar retry a --clean$/m);
  const { inbox } = await scratch.json('inbox');
  assert.equal(inbox[0].commands[0], 'czar retry a --clean');
  assert.equal((await scratch.czar('retry', 'a', '--clean')).code, 0);
  assert.equal((await scratch.czar('run')).code, 0);
});
