import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Background } from './support/background.ts';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

const once = 'retry: {max_attempts: 1, initial: 0s}';

test('a worker failed, the user edits its file and types czar retry: the file is what it is retried with', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('grep -q easier "$CZAR_PROMPT_FILE" || exit 1\necho x > "$CZAR_WORKER.txt"\n');
  scratch.worker('a', once, 'Something hard.\n');
  scratch.worker('b', 'dependencies: [a]', 'Something easier.\n');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 1);
  scratch.worker('a', once, 'Something easier.\n');
  const asked = await scratch.czar('retry', 'a');
  assert.equal(asked.code, 4);
  assert.match(asked.stderr, /worker a: instructions Something hard/);
  assert.equal((await scratch.czar('retry', 'a', '--amend')).code, 0);
  assert.equal((await scratch.czar('run')).code, 0);
  const { data } = only(scratch.log(), 'plan.amended');
  assert.deepEqual([data.added, data.changed, data.removed], [[], ['a'], []]);
  assert.equal(all(scratch.log(), 'run.started').length, 1);
});

test('plan diff shows what amend would take in; what is under way is refused by name, and nothing changes', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]');
  scratch.commitAll();
  await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  assert.deepEqual((await scratch.json('plan', 'diff')).differences, []);
  scratch.worker('b', 'dependencies: [a]\nmission: more');
  scratch.worker('c');
  const { differences } = await scratch.json('plan', 'diff');
  assert.equal(differences.length, 2);
  assert.match(differences[0], /worker b: mission null → more/);
  const amended = await scratch.json('plan', 'amend');
  assert.equal(amended.ok, true);
  await scratch.stubs.agent('c');
  scratch.worker('a', 'mission: other');
  const refused = await scratch.czar('plan', 'amend');
  assert.equal(refused.code, 4);
  assert.match(refused.stderr, /a is active/);
  scratch.worker('a');
  assert.equal((await scratch.czar('plan', 'amend')).code, 0);
  assert.equal(all(scratch.log(), 'plan.amended').length, 1);
  a.exit();
});

test('an agent that is not installed is refused before a live run takes it in, unless another takes its place', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  const file = join(scratch.repo, '.czar/config.yaml');
  const gone = '  define:\n    gone: {adapter: claude, command: [no-such-program]}\n';
  scratch.write('.czar/config.yaml', readFileSync(file, 'utf8').replace('  define:\n', gone));
  scratch.worker('a');
  scratch.commitAll();
  await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  const added = await scratch.czar('add', 'Something else', '--id', 'b', '--agent', 'gone');
  assert.equal(added.code, 2);
  assert.match(added.stderr, /the agent gone cannot be started: .*no-such-program.*needed by b/);
  assert.ok(!existsSync(join(scratch.repo, '.czar/workers/b.md')));
  scratch.worker('b', 'agent: gone');
  const amended = await scratch.czar('plan', 'amend');
  assert.equal(amended.code, 2);
  assert.match(amended.stderr, /needed by b/);
  assert.deepEqual(all(scratch.log(), 'plan.amended'), []);
  scratch.worker('b', 'agent: gone\nfallback: [stub]');
  assert.equal((await scratch.czar('plan', 'amend')).code, 0);
  const b = await scratch.stubs.agent('b');
  assert.deepEqual(only(scratch.log(), 'agents.missing').data.agents, ['gone']);
  assert.equal(only(scratch.log(), 'worker.started', 'b').data.agent.name, 'stub');
  b.exit();
  a.exit();
});

test('add writes a worker and takes it into the live run; run -m begins with it, and its file goes when nothing begins', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  const { id } = await scratch.json('add', 'Write the notes', '--after', 'a');
  assert.equal((await scratch.json('status')).workers.length, 2);
  const more = scratch.start('run', '-m', 'Write more');
  const added = await scratch.stubs.agent('write-more');
  a.exit();
  (await scratch.stubs.agent(id)).exit();
  added.exit();
  assert.equal((await more.finished).code, 0);
  await daemon.ended();
  assert.equal(all(scratch.log(), 'plan.amended').length, 2);
});

test('an amendment counts before anything launches, in a run, and in a daemon that is started for it', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.scripted('grep -q NEW "$CZAR_PROMPT_FILE" || exit 1\necho x > "$CZAR_WORKER.txt"\n');
  for (const id of ['a', 'b']) scratch.worker(id, once, 'OLD\n');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 1);
  for (const id of ['a', 'b']) {
    assert.equal((await scratch.czar('retry', id)).code, 0);
    scratch.worker(id, once, 'NEW\n');
    if (id === 'a')
      assert.equal((await scratch.czar('run', '--amend', '--max-parallel', '4')).code, 1);
    else await daemon.start('--amend');
  }
  await daemon.ended();
  const { workers, run } = await scratch.json('status');
  assert.deepEqual([run.state, ...workers.map((one: any) => one.attempt)], ['complete', 2, 2]);
});

test('a retry that is refused takes no file in, and what is no plan is named with its line', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('[ "$CZAR_WORKER" = b ] || exit 1\n');
  scratch.worker('a', once);
  scratch.worker('b', 'dependencies: [a]');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 1);
  scratch.worker('b', 'dependencies: [a]\nmission: other');
  assert.equal((await scratch.czar('retry', 'b', '--amend')).code, 4);
  assert.equal((await scratch.czar('retry', 'nobody', '--amend')).code, 3);
  assert.equal((await scratch.czar('retry', 'a', '--amend', '--pinned')).code, 2);
  assert.equal(all(scratch.log(), 'plan.amended').length, 0);
  scratch.worker('b', 'dependencies: [a]\nmissoin: other');
  for (const argv of [
    ['plan', 'diff'],
    ['daemon', 'start'],
    ['run', '--amend'],
  ]) {
    const { code, stderr } = await scratch.czar(...argv);
    assert.equal(code, 2, argv.join(' '));
    assert.match(stderr, /workers\/b\.md:3/, argv.join(' '));
  }
});

test('a mistyped worker is no amendment: run says that there is none, and the live run stays as it is', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('echo x > "$CZAR_WORKER.txt"\n');
  scratch.worker('alpha');
  scratch.worker('beta');
  scratch.commitAll();
  assert.equal((await scratch.czar('create-worktree', 'alpha')).code, 0);
  for (const more of [[], ['--amend'], ['--pinned'], ['--new']]) {
    const refused = await scratch.czar('run', 'alhpa', ...more);
    assert.equal(refused.code, 3, `${more.join(' ')}: ${refused.stderr}`);
    assert.match(refused.stderr, /there is no worker alhpa[\s\S]*did you mean alpha\?/);
  }
  assert.deepEqual(all(scratch.log(), 'worker.started'), []);
  only(scratch.log(), 'run.started');
});

test('a flag that is wrong is named as what is wrong, not the plan files', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('echo x > "$CZAR_WORKER.txt"\n');
  scratch.worker('a');
  scratch.commitAll();
  const refuses = async (): Promise<void> => {
    const { code, stderr } = await scratch.czar('run', '--max-parallel', '0');
    assert.equal(code, 2, stderr);
    assert.match(stderr, /--set max_parallel[^]*what the command line sets is not valid/);
    assert.doesNotMatch(stderr, /pinned|the plan|files/);
  };
  await refuses();
  assert.equal((await scratch.czar('create-worktree', 'a')).code, 0);
  await refuses();
});
