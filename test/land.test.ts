/** `czar land`: what moves, what is refused, and that a refusal leaves everything as it was. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { once } from './support/once.ts';
import { Scratch } from './support/scratch.ts';

/** A repository whose run is complete: workers `a` and `b` have written a file each. */
const finished = once(async () => {
  const scratch = await Scratch.make();
  scratch.scripted('echo $CZAR_WORKER > $CZAR_WORKER.txt');
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\n');
  scratch.commitAll();
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
  return scratch;
});

/** Everything that a refused landing must leave alone: refs of the user and of the mirror's integration. */
function refs(scratch: Scratch): string {
  const mirror = join(scratch.repo, '.git/czar/mirror.git');
  return `${scratch.git('for-each-ref')}\n${scratch.gitIn(mirror, 'for-each-ref', 'refs/czar/integration')}`;
}

async function refused(scratch: Scratch, words: RegExp, ...args: readonly string[]): Promise<void> {
  const before = refs(scratch);
  const done = await scratch.czar('land', ...args);
  assert.equal(done.code, 4, `${done.stdout}${done.stderr}`);
  assert.match(done.stderr, words);
  scratch.assertUntouched();
  assert.equal(refs(scratch), before);
}

test('merge: the clean checkout of the target moves with it, once', async () => {
  await using scratch = await finished();
  const base = scratch.git('rev-parse', 'HEAD');
  const preview = await scratch.czar('land', '--dry-run');
  assert.equal(preview.code, 0, preview.stderr);
  assert.match(preview.stdout, /b\.txt/);
  assert.equal(scratch.git('rev-parse', 'main'), base);

  const done = await scratch.czar('land');
  assert.equal(done.code, 0, done.stderr);
  assert.equal(scratch.git('status', '--porcelain'), '');
  assert.equal(readFileSync(join(scratch.repo, 'b.txt'), 'utf8'), 'b\n');
  const run = (await scratch.events()).find((event) => event.run).run;
  assert.equal(
    scratch.git('rev-parse', 'main^{tree}'),
    scratch.git('rev-parse', `czar/${run}-integration^{tree}`),
  );
  assert.equal(scratch.git('rev-parse', 'main^1'), base);
  assert.equal(
    scratch.git('rev-parse', 'main^2'),
    scratch.git('rev-parse', `czar/${run}-integration`),
  );
  assert.match(
    scratch.git('show', '-s', '--format=%B', 'main'),
    new RegExp(`^Czar-Run: ${run}$`, 'm'),
  );

  const landed = scratch.git('rev-parse', 'main');
  const again = await scratch.czar('land');
  assert.equal(again.code, 0, again.stderr);
  assert.equal(scratch.git('rev-parse', 'main'), landed);
  const events = await scratch.events();
  assert.equal(events.filter((event) => event.type === 'run.landed').length, 1);
});

test('squash makes one commit, and another branch that is not checked out is moved without a checkout', async () => {
  await using scratch = await finished();
  const base = scratch.git('rev-parse', 'HEAD');
  scratch.git('branch', 'release');
  const done = await scratch.czar('land', '--into', 'release', '--mode', 'squash');
  assert.equal(done.code, 0, done.stderr);
  assert.equal(scratch.git('rev-parse', 'release^@'), base);
  assert.equal(scratch.git('show', 'release:b.txt'), 'b');
  assert.equal(scratch.git('rev-parse', 'main'), base);
  assert.equal(scratch.git('branch', '--show-current'), 'main');
  assert.equal(scratch.git('status', '--porcelain'), '');
});

test('ff moves the target to the integration commit, and is refused when the target went on', async () => {
  await using scratch = await finished();
  scratch.git('branch', 'moved');
  scratch.git('checkout', '-q', 'moved');
  scratch.write('other.txt', 'other\n');
  scratch.commitAll('Other');
  scratch.git('checkout', '-q', 'main');
  await refused(scratch, /fast-forward|moved/, '--into', 'moved', '--mode', 'ff');
  const done = await scratch.czar('land', '--mode', 'ff');
  assert.equal(done.code, 0, done.stderr);
  const run = (await scratch.events()).find((event) => event.run).run;
  assert.equal(
    scratch.git('rev-parse', 'main'),
    scratch.git('rev-parse', `czar/${run}-integration`),
  );
  assert.equal(scratch.git('status', '--porcelain'), '');
});

test('a conflict with the target as it is now is refused with the file named, and the way out leads home', async () => {
  await using scratch = await finished();
  scratch.write('b.txt', 'mine\n');
  scratch.commitAll('Mine');
  await refused(scratch, /b\.txt/);
  await refused(
    scratch,
    /b\.txt[^]*next: git merge czar\/\S+-integration on main/,
    '--mode',
    'squash',
  );
  const sync = await scratch.czar('sync');
  assert.equal(sync.code, 4);
  const [, branch = ''] = /where the two conflict, git merge (\S+) on main/.exec(sync.stderr) ?? [];
  scratch.acting(() =>
    assert.throws(
      () => scratch.gitIn(scratch.repo, 'merge', '-q', branch),
      /CONFLICT|status 1|failed/,
    ),
  );
  scratch.write('b.txt', 'both\n');
  scratch.commitAll('Both');
  await refused(scratch, /main has everything of this run already/);
});

test('changes and untracked files in the way are refused, others stay as they are', async () => {
  await using scratch = await finished();
  scratch.write('b.txt', 'untracked\n');
  await refused(scratch, /b\.txt/);
  scratch.git('add', 'b.txt');
  await refused(scratch, /b\.txt/);
  scratch.git('rm', '-q', '-f', 'b.txt');
  scratch.write('README.md', 'changed, not in the way\n');
  scratch.write('notes.txt', 'untracked, not in the way\n');
  const done = await scratch.czar('land');
  // A changed file that landing does not touch is not in the way.
  assert.equal(done.code, 0, done.stderr);
  assert.equal(readFileSync(join(scratch.repo, 'b.txt'), 'utf8'), 'b\n');
  assert.equal(scratch.git('status', '--porcelain'), ' M README.md\n?? notes.txt');
});

test('fault 71: the tree that would land is tested when the target went on, and a red gate lands nothing', async () => {
  await using scratch = await Scratch.make();
  const executions = join(scratch.base, 'executions');
  scratch.scripted(
    'echo $CZAR_WORKER > $CZAR_WORKER.txt',
    `checks: 'ls > ${executions}; ! { test -f a.txt && test -f mine.txt; }'\n`,
  );
  scratch.worker('a');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  scratch.write('mine.txt', 'mine\n');
  scratch.commitAll('Mine');
  await refused(scratch, /checks failed/);
  assert.match(readFileSync(executions, 'utf8'), /a\.txt\nmine\.txt/);
  scratch.git('rm', '-q', 'mine.txt');
  scratch.write('fine.txt', 'fine\n');
  scratch.commitAll('Fine');
  assert.equal((await scratch.czar('land')).code, 0);
  assert.match(readFileSync(executions, 'utf8'), /a\.txt\nfine\.txt/);
});

test('a run that is not complete lands only what is merged, and only when told', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('echo $CZAR_WORKER > $CZAR_WORKER.txt');
  scratch.worker('a');
  scratch.worker('b', 'verify: "false"\n');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  await refused(scratch, /--partial|complete/);
  assert.match((await scratch.czar('land', '--dry-run')).stderr, /complete: b; --partial takes/);
  const done = await scratch.czar('land', '--partial');
  assert.equal(done.code, 0, done.stderr);
  assert.equal(scratch.git('ls-tree', '--name-only', 'main'), '.czar\nREADME.md\na.txt');
  assert.equal(
    (await scratch.czar('land', '--into', 'no-such-branch', '--partial')).code === 0,
    false,
  );
});

test('what was merged while a landing was checked is landed by the next one', async () => {
  await using scratch = await Scratch.make();
  const goOn = join(scratch.base, 'go-on');
  // The check of the tree that would land, the only one with the user's file, waits until `b` is merged.
  scratch.config(`checks: 'until test ! -e mine.txt || test -e ${goOn}; do sleep 0.05; done'\n`);
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\n');
  scratch.commitAll();
  const running = scratch.start('run');
  const a = await scratch.stubs.agent('a');
  await a.write('a.txt', 'a\n');
  a.exit();
  const b = await scratch.stubs.agent('b');
  scratch.write('mine.txt', 'mine\n');
  scratch.commitAll('Mine');
  const landing = scratch.start('land', '--partial');
  await scratch.happened('land.built');
  await b.write('b.txt', 'b\n');
  b.exit();
  await scratch.happened('worker.merged', 'b');
  writeFileSync(goOn, '');
  assert.equal((await landing.finished).code, 0);
  assert.equal((await running.finished).code, 0);
  assert.equal(existsSync(join(scratch.repo, 'b.txt')), false);
  assert.equal((await scratch.czar('land')).code, 0);
  assert.equal(readFileSync(join(scratch.repo, 'b.txt'), 'utf8'), 'b\n');
});

test('who waits for a loop that is killed while it lands is told, and lands again', async () => {
  await using scratch = await Scratch.make();
  const goOn = join(scratch.base, 'go-on');
  scratch.config(`checks: 'until test ! -e mine.txt || test -e ${goOn}; do sleep 0.05; done'\n`);
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\n');
  scratch.commitAll();
  const running = scratch.start('run');
  const a = await scratch.stubs.agent('a');
  await a.write('a.txt', 'a\n');
  a.exit();
  await scratch.stubs.agent('b');
  scratch.write('mine.txt', 'mine\n');
  scratch.commitAll('Mine');
  const landing = scratch.start('land', '--partial');
  await scratch.happened('land.built');
  scratch.killLoop(running);
  const told = await landing.finished;
  assert.equal(told.code, 4, told.stdout);
  assert.match(told.stderr, /ended before it was done[\s\S]*czar land again/);
  writeFileSync(goOn, '');
  const again = await scratch.czar('land', '--partial');
  assert.equal(again.code, 0, again.stderr);
  assert.equal(readFileSync(join(scratch.repo, 'a.txt'), 'utf8'), 'a\n');
});

test('a landing that was taken back can be done again', async () => {
  await using scratch = await finished();
  const base = scratch.git('rev-parse', 'HEAD');
  for (let n = 0; n < 2; n += 1) {
    const done = await scratch.czar('land');
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, / landed on main/);
    assert.equal(readFileSync(join(scratch.repo, 'b.txt'), 'utf8'), 'b\n');
    scratch.git('reset', '-q', '--hard', base);
  }
});

test('while the run goes on its loop lands what is merged, also into a branch checked out elsewhere', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\n');
  scratch.commitAll();
  const other = join(scratch.base, 'elsewhere');
  scratch.git('worktree', 'add', '-q', '-b', 'release', other);
  const running = scratch.start('run');
  const a = await scratch.stubs.agent('a');
  await a.write('a.txt', 'a\n');
  a.exit();
  const b = await scratch.stubs.agent('b');
  const landed = await scratch.czar('land', '--partial', '--into', 'release');
  assert.equal(landed.code, 0, landed.stderr);
  assert.equal(readFileSync(join(other, 'a.txt'), 'utf8'), 'a\n');
  assert.equal(scratch.gitIn(other, 'status', '--porcelain'), '');
  b.exit();
  assert.equal((await running.finished).code, 0);
  // Nothing is new since: landing again changes nothing.
  const tip = scratch.git('rev-parse', 'release');
  assert.equal((await scratch.czar('land', '--into', 'release')).code, 0);
  assert.equal(scratch.git('rev-parse', 'release'), tip);
});

test('no hook of the user runs, neither while the run goes on nor when it lands', async () => {
  await using scratch = await Scratch.make();
  const ran = join(scratch.base, 'ran');
  scratch.scripted('echo a > a.txt; git add -A; git commit -q -m A');
  scratch.worker('a');
  scratch.commitAll();
  scratch.acting(() => {
    for (const name of [
      'pre-commit',
      'post-checkout',
      'post-merge',
      'pre-push',
      'reference-transaction',
    ]) {
      const hook = join(scratch.repo, '.git/hooks', name);
      writeFileSync(hook, `#!/bin/sh\necho ${name} >> ${ran}\n`);
      chmodSync(hook, 0o755);
    }
  });
  assert.equal((await scratch.czar('run')).code, 0);
  assert.equal((await scratch.czar('land')).code, 0);
  assert.equal(existsSync(ran), false);
});

test('a gate that breaks while landing lands nothing, and landing again runs it again', async () => {
  await using scratch = await Scratch.make();
  const mended = join(scratch.base, 'mended');
  scratch.scripted(
    'echo a > a.txt',
    `checks: 'test ! -e mine.txt || test -e ${mended} || kill -9 $$'\n`,
  );
  scratch.worker('a');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  scratch.write('mine.txt', 'mine\n');
  scratch.commitAll('Mine');
  await refused(scratch, /gave no verdict/);
  writeFileSync(mended, '');
  const done = await scratch.czar('land');
  assert.equal(done.code, 0, done.stderr);
});

test('a landing killed after its branch moved is carried through at the next start, which names what could not follow', async () => {
  await using scratch = await finished();
  scratch.env['CZAR_CRASH_AT'] = 'land:after-cas';
  assert.equal((await scratch.czar('land')).signal, 'SIGKILL');
  delete scratch.env['CZAR_CRASH_AT'];
  assert.match((await scratch.czar('doctor')).stdout, /a landing was interrupted/);
  writeFileSync(join(scratch.repo, 'b.txt'), 'the user was quicker\n');
  const done = await scratch.czar('land');
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stderr, /checkout not updated: b\.txt/);
  assert.equal(readFileSync(join(scratch.repo, 'b.txt'), 'utf8'), 'the user was quicker\n');
  assert.equal(readFileSync(join(scratch.repo, 'a.txt'), 'utf8'), 'a\n');
  assert.equal(existsSync(join(scratch.repo, '.git/index.lock')), false);
});

test('a dry run refuses what landing would refuse, and changes nothing', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('echo agent > a.txt; echo agent >> README.md');
  scratch.worker('a', 'verify: test -f a.txt\n');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  const preview = async (): Promise<string> => {
    const { code, stdout, stderr } = await scratch.czar('land', '--dry-run');
    assert.equal(code, 4, stdout);
    assert.equal((await scratch.czar('land')).code, 4);
    return stderr;
  };
  scratch.write('a.txt', 'mine\n');
  assert.match(await preview(), /untracked files in the way[^]*a\.txt/);
  scratch.git('clean', '-q', '-f', 'a.txt');
  scratch.write('README.md', 'mine\n');
  assert.match(await preview(), /changes in the way[^]*README\.md/);
  scratch.git('checkout', '-q', 'README.md');
  const second = join(scratch.base, 'second');
  scratch.git('worktree', 'add', '-q', '-f', second, 'main');
  assert.match(await preview(), /more than one place/);
  scratch.git('worktree', 'remove', second);
  const free = await scratch.czar('land', '--dry-run');
  assert.equal(free.code, 0, free.stderr);
  assert.match(free.stdout, /judged by 1 check already/);
});

test('whoever comes while a land is at work is told so, with its process and what to do, whatever was asked', async () => {
  await using scratch = await Scratch.make();
  const [begun, goOn] = [join(scratch.base, 'begun'), join(scratch.base, 'go-on')];
  scratch.scripted(
    'echo $CZAR_WORKER > $CZAR_WORKER.txt',
    `checks: 'test ! -e mine.txt || { touch ${begun}; while [ ! -e ${goOn} ]; do sleep 0.05; done; }'\n`,
  );
  scratch.worker('a');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  scratch.write('mine.txt', 'mine\n');
  scratch.commitAll('Mine');
  const landing = scratch.start('land');
  await scratch.appears(begun);
  for (const asked of ['land', 'sync --from main', 'daemon start', 'run --new', 'prune']) {
    const { code, stderr } = await scratch.czar(...asked.split(' '));
    assert.equal(code, 4, `${asked}: ${stderr}`);
    const said = `a czar land is at work in this repository[^]*pid ${landing.child.pid}[^]*next: wait until it has ended`;
    assert.match(stderr, new RegExp(said), asked);
  }
  writeFileSync(goOn, '');
  const done = await landing.finished;
  assert.equal(done.code, 0, done.stderr);
});
