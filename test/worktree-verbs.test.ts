/** `czar worktree list` and `czar worktree merge`. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { worktreesSchema } from '../src/report/branches-schema.ts';
import { worktreeMergeSchema } from '../src/report/verb-schemas.ts';
import { Scratch } from './support/scratch.ts';

/** `a` is merged; `b` is blocked by its own check, `c` in conflict with `a`; `d` waits for `b`. */
async function blocked(): Promise<Scratch> {
  const scratch = await Scratch.make({ through: 'terminal' });
  scratch.scripted(
    `echo $CZAR_WORKER > $CZAR_WORKER.txt
if [ $CZAR_WORKER = c ]; then until git --git-dir=${scratch.repo}/.git rev-parse -q --verify refs/heads/czar/$CZAR_RUN/a >/dev/null; do sleep 0.05; done; fi
case $CZAR_WORKER in a|c) echo $CZAR_WORKER > both.txt;; esac`,
  );
  scratch.worker('a');
  scratch.worker('b', 'verify: "test -e mended.txt"\n');
  scratch.worker('c');
  scratch.worker('d', 'dependencies: [b]\n');
  scratch.commitAll();
  const done = await scratch.czar('run');
  assert.equal(done.code, 5, done.stderr);
  return scratch;
}

test('worktree list names each tree with its branch, and what is in integration', async () => {
  await using scratch = await blocked();
  const { worktrees } = worktreesSchema.parse(await scratch.json('worktree', 'list'));
  const { run } = await scratch.json('status');
  assert.deepEqual(
    worktrees.map(({ worker, path, branch, merged, live }) => [worker, path, branch, merged, live]),
    ['a', 'b', 'c'].map((id) => [
      id,
      `.czar/worktrees/${id}`,
      `czar/${run.id}/${id}`,
      id === 'a',
      false,
    ]),
  );
  rmSync(join(scratch.repo, '.czar/worktrees/a'), { recursive: true });
  const after = worktreesSchema.parse(await scratch.json('worktree', 'list'));
  assert.equal(after.worktrees[0]?.there, false);
  assert.match((await scratch.czar('worktree', 'list')).stdout, /worktrees\/b .*not merged/);
});

test('worktree merge brings a mended tree in as a merge commit, by path or by worker, and starts nobody', async () => {
  await using scratch = await blocked();
  const { run } = await scratch.json('status');
  const before = scratch.git('rev-parse', run.integration);
  const tree = join(scratch.repo, '.czar/worktrees/b');
  writeFileSync(join(tree, 'mended.txt'), 'yes\n');
  const done = await scratch.czar('worktree', 'merge', tree);
  assert.equal(done.code, 0, done.stderr);
  assert.equal(scratch.git('rev-parse', `${run.integration}^1`), before);
  assert.equal(
    scratch.git('rev-parse', `${run.integration}^2`),
    scratch.git('rev-parse', `czar/${run.id}/b`),
  );
  assert.equal(scratch.git('show', `${run.integration}:mended.txt`), 'yes');
  const started = (await scratch.events()).filter((event) => event.type === 'worker.started');
  assert.deepEqual(new Set(started.map((event) => event.worker)), new Set(['a', 'b', 'c']));
  assert.equal(started.length, 3);
  const again = worktreeMergeSchema.parse(await scratch.json('worktree', 'merge', 'b'));
  assert.equal(again.commit, scratch.git('rev-parse', run.integration));
  assert.equal(
    (await scratch.events()).filter((event) => event.type === 'worker.merged').length,
    2,
  );
});

test('worktree merge of a tree in conflict, red or unknown changes nothing and says why', async () => {
  await using scratch = await blocked();
  const { run } = await scratch.json('status');
  const before = scratch.git('rev-parse', run.integration);
  const conflict = await scratch.czar('worktree', 'merge', 'c');
  assert.equal(conflict.code, 4);
  assert.match(conflict.stderr, /both\.txt/);
  const red = await scratch.czar('worktree', 'merge', 'b');
  assert.equal(red.code, 4);
  assert.match(red.stderr, /verify failed/);
  assert.equal(scratch.git('rev-parse', run.integration), before);
  assert.equal((await scratch.czar('worktree', 'merge', 'x')).code, 3);
  assert.equal((await scratch.czar('worktree', 'merge', 'd')).code, 4);
});
