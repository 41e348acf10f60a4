/** `czar worktree list|merge|cleanup` and `czar create-worktree`. */
import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  cleanupSchema,
  createWorktreeSchema,
  worktreesSchema,
} from '../src/report/branches-schema.ts';
import { worktreeMergeSchema } from '../src/report/verb-schemas.ts';
import { once } from './support/once.ts';
import { Scratch } from './support/scratch.ts';

/** `a` is merged; `b` is blocked by its own check, `c` in conflict with `a`; `d` waits for `b`. */
const blocked = once(async () => {
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
});

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

test('worktree cleanup removes what is done with its branch, leaves what is open and says so, and by force keeps it first, killed at any point', async () => {
  await using scratch = await blocked();
  const { run } = await scratch.json('status');
  const trees = join(scratch.repo, '.czar/worktrees');
  const young = cleanupSchema.parse(await scratch.json('worktree', 'cleanup', '--stale', '24h'));
  assert.equal(young.removed.length, 0);
  assert.equal((await scratch.czar('worktree', 'cleanup', '--stale', 'soon')).code, 2);
  writeFileSync(join(trees, 'a/extra.txt'), 'extra\n');
  const open = await scratch.czar('worktree', 'cleanup', join(trees, 'a'));
  assert.equal(open.code, 4);
  assert.match(open.stderr, /neither merged nor kept: extra\.txt/);
  rmSync(join(trees, 'a/extra.txt'));
  const done = cleanupSchema.parse(await scratch.json('worktree', 'cleanup'));
  assert.deepEqual(
    done.removed.map(({ worker, kept }) => [worker, kept]),
    [['a', []]],
  );
  assert.deepEqual(
    done.left.map(({ worker }) => worker),
    ['b', 'c'],
  );
  assert.equal(existsSync(join(trees, 'a')), false);
  assert.equal(scratch.git('for-each-ref', `refs/heads/czar/${run.id}/a`), '');

  assert.equal((await scratch.czar('worktree', 'cleanup', 'b')).code, 4);
  writeFileSync(join(trees, 'b/open.txt'), 'open\n');
  const tip = scratch.git('rev-parse', `czar/${run.id}/b`);
  const before = (await scratch.json('kept', 'list', 'b')).kept.length;
  for (const point of ['remove:before-tree', 'remove:after-tree', 'remove:after-branch']) {
    scratch.env['CZAR_CRASH_AT'] = point;
    const killed = await scratch.czar('worktree', 'cleanup', 'b', '--force');
    assert.ok(killed.signal === 'SIGKILL' || killed.code === 137, `${point}: ${killed.stderr}`);
  }
  delete scratch.env['CZAR_CRASH_AT'];
  const forced = await scratch.czar('worktree', 'cleanup', 'b', '--force');
  assert.equal(forced.code, 0, forced.stderr);
  assert.equal(existsSync(join(trees, 'b')), false);
  const { kept } = await scratch.json('kept', 'list', 'b');
  assert.equal(kept.length, before + 1, JSON.stringify(kept));
  const { ref } = kept.at(-1);
  assert.equal(scratch.git('show', `${ref}:open.txt`), 'open');
  scratch.git('merge-base', '--is-ancestor', tip, ref);
  assert.equal(scratch.git('for-each-ref', `refs/heads/czar/${run.id}/b`), '');
  assert.equal((await scratch.czar('worktree', 'cleanup', 'b')).code, 3);
});

test('worktree cleanup removes the trees of workers that failed, whose work is kept, and leaves what came after', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    'echo $CZAR_WORKER > f; [ $CZAR_WORKER = files ] || { git add -A; git commit -qm f; }\n[ $CZAR_WORKER = commits ] || echo more > more\nexit 1\n',
    'retry: {max_attempts: 1}\n',
  );
  const ids = ['after', 'both', 'commits', 'files'];
  for (const id of ids) scratch.worker(id);
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 1);
  const { kept } = await scratch.json('kept', 'list');
  writeFileSync(join(scratch.repo, '.czar/worktrees/after/later'), 'later');
  const done = cleanupSchema.parse(await scratch.json('worktree', 'cleanup'));
  assert.deepEqual(
    done.removed.map(({ worker, kept: more }) => [worker, more]),
    ids.slice(1).map((id) => [id, []]),
  );
  assert.deepEqual(
    done.left.map(({ worker, why }) => [worker, /kept: .*later/.test(why)]),
    [['after', true]],
  );
  assert.deepEqual((await scratch.json('kept', 'list')).kept, kept);
  const show = (id: string, file: string): string => {
    const { ref } = kept.find((one: any) => one.worker === id);
    return scratch.git('show', `${ref}:${file}`);
  };
  assert.deepEqual(
    [show('both', 'f'), show('commits', 'f'), show('files', 'more')],
    ['both', 'commits', 'more'],
  );
});

test('create-worktree makes the tree at its place on its branch, once; the first attempt works in it unless something was merged since', async () => {
  await using scratch = await Scratch.make({ through: 'terminal' });
  scratch.scripted('echo $CZAR_WORKER > $CZAR_WORKER.txt; ls > seen-$CZAR_WORKER.txt');
  scratch.worker('foundation', 'branch: feat/agent-rules-foundation');
  scratch.worker('workflows', 'dependencies: [foundation]');
  scratch.commitAll();
  scratch.allow({ refs: ['refs/heads/feat/agent-rules-foundation'] });
  scratch.env['CZAR_CRASH_AT'] = 'tree:before-make';
  const killed = await scratch.czar('create-worktree', 'foundation');
  assert.ok(killed.signal === 'SIGKILL' || killed.code === 137, killed.stderr);
  delete scratch.env['CZAR_CRASH_AT'];
  const made = createWorktreeSchema.parse(await scratch.json('create-worktree', 'foundation'));
  assert.equal(made.path, '.czar/worktrees/foundation');
  assert.equal(made.branch, 'feat/agent-rules-foundation');
  const tree = join(scratch.repo, made.path);
  assert.equal(scratch.gitIn(tree, 'rev-parse', '--abbrev-ref', 'HEAD'), made.branch);
  writeFileSync(join(tree, 'mine.txt'), 'mine\n');
  assert.deepEqual(await scratch.json('create-worktree', 'foundation'), made);
  assert.equal((await scratch.czar('create-worktree', 'workflows')).code, 0);
  const other = join(scratch.repo, '.czar/worktrees/workflows');
  writeFileSync(join(other, 'note.txt'), 'note\n');
  assert.equal((await scratch.czar('create-worktree', 'nobody')).code, 3);
  assert.ok((await scratch.events()).every((event) => event.type !== 'worker.started'));

  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  const { run } = await scratch.json('status');
  assert.equal(run.id, made.run);
  const merged = `${run.integration}:`;
  assert.equal(scratch.git('show', `${merged}mine.txt`), 'mine');
  assert.match(scratch.git('show', `${merged}seen-workflows.txt`), /^foundation\.txt$/m);
  const { kept } = await scratch.json('kept', 'list');
  assert.equal(kept.length, 1, JSON.stringify(kept));
  assert.equal(scratch.git('show', `${kept[0].ref}:note.txt`), 'note');
});
