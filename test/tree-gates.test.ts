/** Gates that judge a whole tree: verify and checks, on check trees, with verdicts that merging takes. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from './support/scratch.ts';

/** Lines of a file outside the repository that checks write to: one for each execution. */
function executions(scratch: Scratch): string[] {
  const file = join(scratch.base, 'executions');
  return existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.trim())
    : [];
}

function blockOf(events: readonly any[], worker: string): any {
  return events.findLast((event) => event.type === 'worker.blocked' && event.worker === worker)
    ?.data.block;
}

test('a check whose dependency only setup installs uses that, not the poisoned one around it', async () => {
  await using scratch = await Scratch.make();
  scratch.write('.gitignore', 'node_modules\n');
  scratch.write('vendor/dep.js', "module.exports = 'installed';\n");
  scratch.scripted(
    `echo "if (require('dep') !== 'installed') throw new Error('poisoned');" > test.js`,
    `setup: 'mkdir -p node_modules/dep && cp vendor/dep.js node_modules/dep/index.js'\nchecks: node test.js\n`,
  );
  scratch.worker('a', 'setup: "true"\nverify: "test -f test.js && test ! -e node_modules"\n');
  scratch.commitAll();
  scratch.write('node_modules/dep/index.js', "module.exports = 'poison';\n");
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
  const passed = (await scratch.events()).filter((event) => event.type === 'gate.passed');
  const commands = passed.map((event) => event.data.verdict.command).filter(Boolean);
  assert.ok(commands.includes('node test.js'), commands.join('; '));
});

test('two branches that are green alone and red together: the second is blocked, integration stays as it was', async () => {
  await using scratch = await Scratch.make();
  scratch.write('names.txt', 'one\n');
  // The one renames, the other adds a use of the old name: no conflict, but together they do not hold.
  scratch.config('ownership: warn\n');
  scratch.worker('rename', 'verify: test -f uni.txt\n');
  scratch.worker('use', 'verify: test ! -e needs-one.txt || ls | grep -q names\n');
  scratch.commitAll();
  const running = scratch.start('run');
  const rename = await scratch.stubs.agent('rename');
  const use = await scratch.stubs.agent('use');
  await rename.run('git', 'mv', 'names.txt', 'uni.txt');
  await rename.commit('Rename');
  await use.write('needs-one.txt', 'x\n');
  await use.commit('Use');
  use.exit();
  await running.seen('use merging → complete');
  const run = scratch.log().find((event) => event.run).run;
  const ref = `refs/czar/integration/${run}`;
  const before = scratch.gitIn(join(scratch.repo, '.git/czar/mirror.git'), 'rev-parse', ref);
  rename.exit();
  const done = await running.finished;
  assert.equal(done.code, 5, done.stderr);
  const events = await scratch.events();
  const block = blockOf(events, 'rename');
  assert.equal(block.kind, 'gate');
  assert.match(block.findings.join('\n'), /needs-one/);
  assert.equal(scratch.git('rev-parse', ref), before);
  assert.equal(scratch.git('rev-parse', `czar/${run}-integration`), before);
  // Alone it had passed: on its branch, and the other's verify is run on the combined tree only.
  const red = events.filter((event) => event.type === 'gate.failed');
  assert.deepEqual(
    red.map((event) => event.data.verdict.command),
    ['test ! -e needs-one.txt || ls | grep -q names'],
  );
  assert.notEqual(red[0].data.verdict.tree, scratch.git('rev-parse', `czar/${run}/rename^{tree}`));
});

test('fault 78: checks judge the combined tree of every merge, and an equal tree is not tested twice', async () => {
  await using scratch = await Scratch.make();
  const counted = (name: string): string =>
    `'echo "${name} $(ls *.txt | tr "\\n" " ")" >> ${scratch.base}/executions'`;
  scratch.scripted('echo x > $CZAR_WORKER.txt', `checks: ${counted('checks')}\n`);
  scratch.worker('a', `verify: ${counted('verify-a')}\n`);
  scratch.worker('b', `dependencies: [a]\nverify: ${counted('verify-b')}\n`);
  scratch.commitAll();
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
  // The branch of each starts from the integration tip, so that its tree is the combined one: verify ran once each.
  assert.deepEqual(executions(scratch), [
    'verify-a a.txt',
    'checks a.txt',
    'verify-b a.txt b.txt',
    'checks a.txt b.txt',
  ]);
  const landed = await scratch.czar('land');
  assert.equal(landed.code, 0, landed.stderr);
  assert.equal(executions(scratch).length, 4, 'the tree that landed had been tested');
});

test('fault 77: a gate that is killed or cannot run is inconclusive and blocks; unblock runs it again', async () => {
  await using scratch = await Scratch.make();
  const mended = join(scratch.base, 'mended');
  scratch.scripted('echo x > $CZAR_WORKER.txt');
  scratch.worker('killed', `verify: 'test -e ${mended} || kill -9 $$'\n`);
  scratch.worker('missing', `verify: 'test -e ${mended} || no-such-program-here'\n`);
  // In the agent's tree it passes, in a check tree it fails.
  const setup = `'case $PWD in *worktrees*) ;; *) test -e ${mended};; esac'`;
  scratch.worker('setup', `setup: ${setup}\nverify: test -f setup.txt\n`);
  scratch.commitAll();
  const done = await scratch.czar('run');
  assert.equal(done.code, 5, done.stderr);
  const events = await scratch.events();
  const states = ['killed', 'missing', 'setup'].map((worker) => blockOf(events, worker)?.kind);
  assert.deepEqual(states, ['inconclusive', 'inconclusive', 'inconclusive']);
  assert.equal(events.filter((event) => event.type === 'worker.merged').length, 0);

  writeFileSync(mended, '');
  for (const worker of ['killed', 'missing', 'setup']) {
    const unblocked = await scratch.czar('unblock', worker);
    assert.equal(unblocked.code, 0, unblocked.stderr);
  }
  assert.equal((await scratch.czar('run')).code, 0);
  const merged = (await scratch.events()).filter((event) => event.type === 'worker.merged');
  const workers = merged.map((event): string => event.worker);
  assert.deepEqual(workers.toSorted(), ['killed', 'missing', 'setup']);
});

test('a red verify blocks with its output as findings and a log to read', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('echo x > x.txt');
  scratch.worker('a', `verify: 'echo "expected 3, found 4" >&2; exit 1'\n`);
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  const events = await scratch.events();
  const block = blockOf(events, 'a');
  assert.equal(block.kind, 'gate');
  assert.match(block.findings.join('\n'), /expected 3, found 4/);
  const { verdict } = events.find((event) => event.type === 'gate.failed').data;
  assert.match(
    readFileSync(join(scratch.repo, '.czar', verdict.log), 'utf8'),
    /expected 3, found 4/,
  );
  assert.match((await scratch.czar('why', 'a')).stdout, /expected 3, found 4|verify/);
});

test('check trees are clean checkouts outside the repository and leave nothing behind in it', async () => {
  await using scratch = await Scratch.make();
  scratch.write('.gitignore', 'junk\n');
  scratch.scripted(
    'echo x > x.txt; echo ignored > junk',
    `checks: 'test ! -e junk && test ! -e WORKER_IDENTITY.md && pwd > ${scratch.base}/where && git status --porcelain >> ${scratch.base}/where'\n`,
  );
  scratch.worker('a');
  scratch.commitAll();
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
  const [where = '', ...status] = readFileSync(join(scratch.base, 'where'), 'utf8')
    .trim()
    .split('\n');
  assert.ok(where.startsWith(join(scratch.base, 'cache')), where);
  assert.deepEqual(status, []);
});
