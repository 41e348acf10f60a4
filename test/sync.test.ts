/** `czar sync`: a target that has moved enters a live run, on the tree whose gates passed, or nothing changes. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { syncSchema } from '../src/report/verb-schemas.ts';
import { Scratch } from './support/scratch.ts';

/** A run in which `a` is merged and `b` waits for a person; no loop lives. */
async function waiting(yaml = ''): Promise<Scratch> {
  const scratch = await Scratch.make({ through: 'terminal' });
  scratch.scripted('echo $CZAR_WORKER > $CZAR_WORKER.txt', yaml);
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\nverify: "test -e mine.txt"\n');
  scratch.commitAll();
  const done = await scratch.czar('run');
  assert.equal(done.code, 5, done.stderr);
  return scratch;
}

/** The user commits on main. */
function moved(scratch: Scratch, path: string, text: string): string {
  scratch.write(path, text);
  scratch.commitAll(path);
  return scratch.git('rev-parse', 'main');
}

function refs(scratch: Scratch): string {
  const mirror = join(scratch.repo, '.git/czar/mirror.git');
  return `${scratch.git('for-each-ref')}\n${scratch.gitIn(mirror, 'for-each-ref', 'refs/czar/integration')}`;
}

async function integrationOf(scratch: Scratch): Promise<string> {
  return (await scratch.json('status')).run.integration;
}

test('the target enters integration as a merge, workers go on with it, and a second call finds it there', async () => {
  const executions = 'executions';
  await using scratch = await waiting(`checks: 'ls >> $HOME/${executions}'\n`);
  const integration = await integrationOf(scratch);
  const before = scratch.git('rev-parse', integration);
  const main = moved(scratch, 'mine.txt', 'mine\n');

  const done = await scratch.czar('sync');
  assert.equal(done.code, 0, done.stderr);
  scratch.assertUntouched();
  const mirror = join(scratch.repo, '.git/czar/mirror.git');
  const run = (await scratch.json('status')).run.id;
  const tip = scratch.gitIn(mirror, 'rev-parse', `refs/czar/integration/${run}`);
  assert.equal(scratch.gitIn(mirror, 'rev-parse', `${tip}^1`), before);
  assert.equal(scratch.gitIn(mirror, 'rev-parse', `${tip}^2`), main);
  assert.match(
    scratch.gitIn(mirror, 'show', '-s', '--format=%B', tip),
    new RegExp(`^Czar-Run: ${run}$`, 'm'),
  );
  assert.equal(scratch.git('rev-parse', 'main'), main);
  // The checks judged exactly that tree.
  assert.match(
    readFileSync(join(scratch.base, 'home', executions), 'utf8'),
    /a\.txt\nmine\.txt\n$/,
  );
  const events = await scratch.events();
  const synced = events.filter((event) => event.type === 'run.synced');
  assert.deepEqual(
    synced.map(({ data }) => data),
    [{ target: 'main', tip: main, base: before, commit: tip }],
  );

  // So has the branch that the user sees, and there is nothing left to bring in.
  assert.equal(scratch.git('rev-parse', integration), tip);
  const again = syncSchema.parse(await scratch.json('sync'));
  assert.deepEqual([again.changed, again.commit], [false, tip]);

  // A worker that is tried again starts from it, and is merged on it.
  assert.equal((await scratch.czar('retry', 'b', '--clean')).code, 0);
  const goes = await scratch.czar('run');
  assert.equal(goes.code, 0, goes.stderr);
  assert.equal(scratch.git('show', `${integration}:mine.txt`), 'mine');
  assert.equal(scratch.git('show', `${integration}:b.txt`), 'b');
  assert.equal(scratch.git('rev-parse', `${integration}^1`), tip);
});

test('what is there already is said, and changes nothing', async () => {
  await using scratch = await waiting();
  const before = refs(scratch);
  const done = syncSchema.parse(await scratch.json('sync'));
  assert.deepEqual([done.target, done.changed], ['main', false]);
  assert.equal(refs(scratch), before);
  assert.equal((await scratch.czar('sync', '--from', 'nowhere')).code, 4);
});

test('a conflict, a red check and a run that is over are refused, with everything as it was', async () => {
  await using scratch = await waiting(`checks: 'test ! -e bad.txt'\n`);
  moved(scratch, 'a.txt', 'other\n');
  const before = refs(scratch);
  const conflict = await scratch.czar('sync');
  assert.equal(conflict.code, 4);
  assert.match(conflict.stderr, /main conflicts with the run[^]*a\.txt/);
  scratch.assertUntouched();
  assert.equal(refs(scratch), before);

  scratch.git('rm', '-q', 'a.txt');
  moved(scratch, 'bad.txt', 'bad\n');
  const there = refs(scratch);
  const red = await scratch.czar('sync');
  assert.equal(red.code, 4, red.stdout);
  assert.match(red.stderr, /checks failed on the/);
  scratch.assertUntouched();
  assert.equal(refs(scratch), there);

  assert.equal((await scratch.czar('cancel', '--yes')).code, 0);
  const over = await scratch.czar('sync');
  assert.equal(over.code, 4);
  assert.match(over.stderr, /only a live run is brought up to date/);
});

test('beside a run the loop that lives does it, and whoever starts after it sees it', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\n');
  scratch.commitAll();
  const running = scratch.start('run');
  const a = await scratch.stubs.agent('a');
  moved(scratch, 'mine.txt', 'mine\n');
  const done = await scratch.czar('sync');
  assert.equal(done.code, 0, done.stderr);
  await a.write('a.txt', 'a\n');
  a.exit();
  const b = await scratch.stubs.agent('b');
  const tree = join(scratch.repo, '.czar/worktrees/b');
  assert.equal(readFileSync(join(tree, 'mine.txt'), 'utf8'), 'mine\n');
  assert.ok(existsSync(join(tree, 'a.txt')));
  await b.write('b.txt', 'b\n');
  b.exit();
  assert.equal((await running.finished).code, 0);
  assert.equal((await scratch.czar('check', 'integration')).code, 0);
});

for (const place of ['sync:before-candidate', 'sync:before-cas', 'sync:after-cas']) {
  test(`killed at ${place} it is carried through by the next call, once`, async () => {
    await using scratch = await waiting();
    const main = moved(scratch, 'mine.txt', 'mine\n');
    scratch.env['CZAR_CRASH_AT'] = place;
    const killed = await scratch.czar('sync');
    assert.equal(killed.signal, 'SIGKILL', `${place} was not reached: ${killed.stderr}`);
    delete scratch.env['CZAR_CRASH_AT'];
    const done = await scratch.czar('sync');
    assert.equal(done.code, 0, done.stderr);
    const events = await scratch.events();
    assert.equal(events.filter((event) => event.type === 'run.synced').length, 1);
    const run = (await scratch.json('status')).run.id;
    const mirror = join(scratch.repo, '.git/czar/mirror.git');
    const tip = scratch.gitIn(mirror, 'rev-parse', `refs/czar/integration/${run}`);
    assert.equal(scratch.gitIn(mirror, 'rev-parse', `${tip}^2`), main);
    assert.equal(
      scratch.gitIn(mirror, 'rev-list', '--count', '--first-parent', `${main}..${tip}`),
      '2',
    );
  });
}

test('an agent cannot sync', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('czar sync > "$HOME/said" 2>&1; echo $? >> "$HOME/said"; echo a > a.txt');
  scratch.worker('a');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  assert.match(readFileSync(join(scratch.base, 'home/said'), 'utf8'), /\n4\n$/);
});
