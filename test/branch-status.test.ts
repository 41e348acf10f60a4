/** `czar branch status`: git's numbers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { branchesSchema } from '../src/report/branches-schema.ts';
import { Scratch } from './support/scratch.ts';

test('branch status has git’s numbers, of all workers and of one', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    'for n in 1 2; do echo $n > $CZAR_WORKER.txt; git add -A; git commit -qm "$CZAR_WORKER $n"; done',
  );
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\n');
  scratch.worker('c', 'dependencies: [b]\nwhen: "false"\n');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  scratch.write('mine.txt', 'mine\n');
  scratch.commitAll('Mine');
  const { branches, against } = branchesSchema.parse(await scratch.json('branch', 'status'));
  assert.equal(against, 'main');
  assert.deepEqual(
    branches.map(({ worker }) => worker),
    ['a', 'b'],
  );
  const count = (range: string): number => Number(scratch.git('rev-list', '--count', range));
  for (const one of branches) {
    assert.equal(one.commit, scratch.git('rev-parse', one.branch));
    assert.equal(one.commits, count(one.branch));
    assert.equal(one.latest_commit, scratch.git('log', '-1', '--format=%H %s', one.branch));
    assert.equal(one.commits_ahead, count(`main..${one.branch}`));
    assert.equal(one.commits_behind, count(`${one.branch}..main`));
    assert.equal(one.unmerged, 0);
  }
  const alone = branchesSchema.parse(await scratch.json('branch', 'status', 'b'));
  assert.deepEqual(alone.branches, [branches[1]]);
  const text = await scratch.czar('branch', 'status', 'b');
  assert.match(
    text.stdout,
    /^czar\/\S+\/b +complete +\d+ commits +5 ahead of main +0 not merged +\S{10} b 2\n$/,
  );
  assert.equal((await scratch.czar('branch', 'status', 'c')).code, 3);
  assert.equal((await scratch.czar('branch', 'status', 'd')).code, 3);
});
