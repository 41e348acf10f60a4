/** What dependents find in their trees, when they start, and what the merges look like. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from './support/scratch.ts';

test('the tree of a dependent contains what it depends on, also with slow gates side by side, and it never starts before', async () => {
  await using scratch = await Scratch.make();
  // Every gate of the first two waits until the gate of the other has begun too: they do run side by side.
  scratch.scripted(
    `ls > seen-by-$CZAR_WORKER; echo $CZAR_WORKER > $CZAR_WORKER.txt; git add -A; git commit -q -m "work of $CZAR_WORKER"`,
    'max_parallel_checks: 2\n',
  );
  const flags = scratch.base;
  const slow = (own: string, other: string): string =>
    `verify: 'test -f ${own}.txt && touch ${flags}/${own} && i=0; while [ ! -e ${flags}/${other} ] && [ $i -lt 300 ]; do i=$((i+1)); sleep 0.1; done; test -e ${flags}/${other}'\n`;
  scratch.worker('a', slow('a', 'b'));
  scratch.worker('b', slow('b', 'a'));
  scratch.worker('c', "dependencies: [a]\nverify: 'test -f a.txt && test -f c.txt'\n");
  scratch.worker('d', 'dependencies: [b]\n');
  scratch.worker('e', 'dependencies: [c, d]\n');
  scratch.commitAll();
  const base = scratch.git('rev-parse', 'HEAD');
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);

  const events = await scratch.events();
  const seqOf = (type: string, worker: string): number =>
    events.find((event) => event.type === type && event.worker === worker)?.seq ?? NaN;
  const tip = `czar/${events.find((event) => event.run).run}-integration`;
  for (const [worker, dependencies] of [
    ['c', ['a']],
    ['d', ['b']],
    ['e', ['a', 'b', 'c', 'd']],
  ] as const) {
    const seen = scratch.git('show', `${tip}:seen-by-${worker}`).split('\n');
    for (const dependency of dependencies) {
      assert.ok(seen.includes(`${dependency}.txt`), `${worker} saw ${seen.join(' ')}`);
      assert.ok(seqOf('worker.merged', dependency) < seqOf('worker.started', worker));
      assert.ok(seqOf('worker.merged', dependency) < seqOf('worker.complete', dependency));
    }
  }

  const log = scratch.git(
    'log',
    '--first-parent',
    '--reverse',
    '--format=%P|%(trailers:key=Czar-Run,valueonly,separator=%x2C)|%(trailers:key=Czar-Worker,valueonly,separator=%x2C)|%an',
    `${base}..${tip}`,
  );
  const merges = log.split('\n').map((line) => line.split('|'));
  for (const [parents = '', run] of merges) {
    assert.equal(parents.split(' ').length, 2, log);
    assert.equal(`czar/${run}-integration`, tip);
  }
  const order = merges.map(([, , worker = '']) => worker);
  assert.deepEqual(order.toSorted(), ['a', 'b', 'c', 'd', 'e']);
  const before = (x: string, y: string): boolean => order.indexOf(x) < order.indexOf(y);
  assert.ok(
    before('a', 'c') && before('b', 'd') && before('c', 'e') && before('d', 'e'),
    order.join(),
  );
  assert.equal(scratch.git('status', '--porcelain'), '');
});

test('a worker on a branch of its own name: the branch is shown in the repository, and one that was ahead goes on', async () => {
  await using scratch = await Scratch.make();
  scratch.allow({ refs: ['refs/heads/feat/a', 'refs/heads/feat/b'] });
  scratch.scripted('ls > seen-$CZAR_WORKER; git branch --show-current > branch-$CZAR_WORKER');
  scratch.worker('a', 'branch: feat/a\n');
  scratch.worker('b', 'branch: feat/b\n');
  scratch.commitAll();
  scratch.git('checkout', '-q', '-b', 'feat/b');
  scratch.write('begun.txt', 'begun\n');
  scratch.commitAll('begun');
  const begun = scratch.git('rev-parse', 'HEAD');
  scratch.git('checkout', '-q', 'main');
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
  assert.equal(scratch.git('show', 'feat/a:branch-a'), 'feat/a');
  assert.match(scratch.git('show', 'feat/b:seen-b'), /begun\.txt/);
  scratch.git('merge-base', '--is-ancestor', begun, 'feat/b');
  const run = (await scratch.events()).find((event) => event.run).run;
  assert.equal(scratch.git('show', `czar/${run}-integration:begun.txt`), 'begun');
});

test('a retry on a branch of the user begins at the commits of the user again, and the branch keeps them', async () => {
  await using scratch = await Scratch.make();
  scratch.allow({ refs: ['refs/heads/feat/b'] });
  scratch.scripted('git log --format=%s > seen; echo > "attempt-$CZAR_ATTEMPT"');
  scratch.worker('b', 'branch: feat/b\nverify: test -f attempt-2\n');
  scratch.commitAll();
  scratch.git('checkout', '-q', '-b', 'feat/b');
  scratch.write('begun.txt', 'begun\n');
  scratch.commitAll('begun');
  const begun = scratch.git('rev-parse', 'HEAD');
  scratch.git('checkout', '-q', 'main');
  assert.equal((await scratch.czar('run')).code, 5);
  assert.equal((await scratch.czar('retry', 'b', '--clean')).code, 0);
  assert.equal((await scratch.czar('run')).code, 0);
  scratch.git('merge-base', '--is-ancestor', begun, 'feat/b');
  assert.match(scratch.git('show', 'feat/b:seen'), /^begun\n/, 'the first attempt is not in it');
});

test('a branch of the user is not given to a worker unless it is ahead of the base, and nothing is made', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('echo > x');
  scratch.commitAll();
  scratch.git('branch', 'level');
  scratch.git('checkout', '-q', '-b', 'aside');
  scratch.write('aside.txt', 'aside\n');
  scratch.commitAll('aside');
  scratch.git('checkout', '-q', '-b', 'out', 'main');
  scratch.write('out.txt', 'out\n');
  scratch.commitAll('out');
  scratch.git('checkout', '-q', 'main');
  scratch.git('worktree', 'add', '-q', join(scratch.base, 'linked'), 'out');
  scratch.write('later.txt', 'later\n');
  for (const [branch, why] of [
    ['main', /where the run lands/],
    ['level', /not ahead/],
    ['aside', /not ahead/],
    ['out', /checked out/],
  ] as const) {
    scratch.worker('a', `branch: ${branch}\n`);
    scratch.commitAll(branch);
    const done = await scratch.czar('run');
    assert.equal(done.code, 2, `${branch}: ${done.stderr}`);
    assert.match(done.stderr, why);
  }
  assert.equal(scratch.git('for-each-ref', 'refs/czar', 'refs/heads/czar*'), '');
});

test('names of branches that collide are refused before anything is made', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('true');
  scratch.worker('a', 'branch: feat\n');
  scratch.commitAll();
  for (const [name, plan] of [
    ['feat/x', 'a'],
    ['czar', 'a'],
  ] as const) {
    scratch.git('branch', name);
    const done = await scratch.czar('run', plan);
    assert.equal(done.code, 2, done.stderr);
    assert.match(done.stderr, new RegExp(name));
    scratch.git('branch', '-D', name);
  }
  scratch.worker('b', 'branch: feat/y\n');
  assert.equal((await scratch.czar('run')).code, 2);
  assert.equal(scratch.git('for-each-ref', 'refs/czar', 'refs/heads/czar*'), '');
  assert.equal((await scratch.czar('events', '--json')).stdout.includes('run.started'), false);
});

test('a merge in progress and a repository without a commit are refused with exit 4, a bare one too, and nothing is made', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('true');
  scratch.worker('a');
  scratch.commitAll();
  scratch.git('checkout', '-q', '-b', 'side');
  scratch.write('README.md', 'side\n');
  scratch.commitAll('side');
  scratch.git('checkout', '-q', 'main');
  scratch.write('README.md', 'main\n');
  scratch.commitAll('main');
  scratch.acting(() => {
    try {
      scratch.gitIn(scratch.repo, 'merge', '-q', 'side');
    } catch {
      // It conflicts: that is the state wanted.
    }
  });
  const merging = await scratch.czar('run');
  assert.equal(merging.code, 4, merging.stderr);
  assert.match(merging.stderr, /merge is in progress/);

  scratch.gitIn(scratch.base, 'init', '-q', 'new');
  const unborn = await scratch.czar('init', '--repo', join(scratch.base, 'new'));
  assert.equal(unborn.code, 0, unborn.stderr);
  scratch.gitIn(scratch.base, 'init', '-q', '--bare', 'bare.git');
  const unbornRun = await scratch.czar('run', '--repo', join(scratch.base, 'new'));
  assert.equal(unbornRun.code, 4, unbornRun.stderr);
  assert.match(unbornRun.stderr, /no commit yet/);
  const bare = await scratch.czar('run', '--repo', join(scratch.base, 'bare.git'));
  assert.ok(bare.code === 2 || bare.code === 4, bare.stderr);
  assert.equal(scratch.git('for-each-ref', 'refs/czar', 'refs/heads/czar'), '');
});

test('run says how many files of the checkout agents will not see, and they do not see them', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('ls > seen.txt; cat README.md >> seen.txt');
  scratch.worker('a');
  scratch.commitAll();
  scratch.write('README.md', '# not committed\n');
  scratch.write('new.txt', 'new\n');
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stderr, /2 files of your checkout have changes that no agent will see/);
  const run = (await scratch.events()).find((event) => event.run).run;
  const seen = scratch.git('show', `czar/${run}-integration:seen.txt`);
  assert.doesNotMatch(seen, /new\.txt|not committed/);
  assert.equal(scratch.git('status', '--porcelain'), ' M README.md\n?? new.txt');
});

test('the user commits and changes branches meanwhile, and a branch of the run that was moved is left alone', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\n');
  scratch.commitAll();
  const running = scratch.start('run');
  const a = await scratch.stubs.agent('a');
  await a.write('a.txt', 'a\n');
  scratch.write('mine.txt', 'mine\n');
  scratch.git('add', 'mine.txt');
  scratch.git('commit', '-q', '-m', 'Meanwhile');
  scratch.git('checkout', '-q', '-b', 'elsewhere', 'HEAD^');
  a.exit();
  const b = await scratch.stubs.agent('b');
  assert.deepEqual((await b.run('ls')).stdout.trim().split('\n'), [
    'README.md',
    'WORKER_IDENTITY.md',
    'a.txt',
  ]);
  await b.write('b.txt', 'b\n');
  const run = scratch.log().find((event) => event.run).run;
  const moved = scratch.git('rev-parse', 'main');
  scratch.git('branch', '-f', `czar/${run}-integration`, moved);
  b.exit();
  const done = await running.finished;
  assert.equal(done.code, 0, done.stderr);
  assert.equal(scratch.git('rev-parse', `czar/${run}-integration`), moved);
  assert.equal(scratch.git('branch', '--show-current'), 'elsewhere');
  const diverged = (await scratch.events()).filter((event) => event.type === 'refs.diverged');
  assert.ok(
    diverged.some((event) => event.data.ref === `refs/heads/czar/${run}-integration`),
    JSON.stringify(diverged),
  );
  const integration = scratch.git('ls-tree', '--name-only', `refs/czar/integration/${run}`);
  assert.match(integration, /b\.txt/);
  const status = await scratch.czar('status');
  assert.match(status.stdout, /diverged/);
  assert.match(done.stdout, new RegExp(`2 workers merged into refs/czar/integration/${run}\n`));
  assert.match(done.stdout, /-integration is in other hands and is left alone: it was moved/);
  assert.match(done.stdout, new RegExp(`look: git log --graph refs/czar/integration/${run}\n`));
  const checked = await scratch.czar('check', 'integration');
  assert.equal(checked.code, 0, checked.stdout);
  assert.match(checked.stdout, /^✓ refs\/czar\/integration\/\S+ has all 2 required branches/);
});
