import assert from 'node:assert/strict';
import { test } from 'node:test';
import { all, assertOrder, mostLive, only, statesOf } from './support/log.ts';
import { Scratch } from './support/scratch.ts';
import { bothWays } from './support/through.ts';

const writesOneFile = 'echo "$CZAR_WORKER" > "$CZAR_WORKER.txt"\ngit add -A\ngit commit -qm work\n';

bothWays(
  'a plan of workers runs to its end, and its work is on the integration branch',
  async (through) => {
    await using scratch = await Scratch.make({ through });
    scratch.scripted(writesOneFile, 'max_parallel: 2\n');
    for (const id of ['a', 'b', 'c']) scratch.worker(id);
    scratch.worker('last', 'dependencies: [a, b, c]\nverify: cat a.txt b.txt c.txt last.txt');
    scratch.commitAll();

    const { code, stdout } = await scratch.czar('run');
    assert.equal(code, 0, stdout);
    const log = scratch.log();
    for (const id of ['a', 'last']) {
      assert.deepEqual(statesOf(log, id), [
        'pending',
        'ready',
        'starting',
        'active',
        'verifying',
        'merging',
        'complete',
      ]);
    }
    assertOrder(log, 'worker.merged last', 'worker.complete last', 'run.complete');
    assert.deepEqual(
      log.map(({ seq }) => seq),
      log.map((_, index) => index + 1),
    );
    assert.equal(mostLive(log), 2);

    const { integration } = only(log, 'run.started').data;
    assert.match(integration, /^czar\/\d{8}-1-integration$/);
    const tree = scratch.git('ls-tree', '-r', '--name-only', integration).split('\n');
    assert.deepEqual(
      tree.filter((path) => path.endsWith('.txt')),
      ['a.txt', 'b.txt', 'c.txt', 'last.txt'],
    );
    for (const { worker, data } of all(log, 'worker.merged')) {
      const message = scratch.git('show', '-s', '--format=%B', data.commit);
      assert.match(message, new RegExp(`^Czar-Worker: ${worker}$`, 'm'));
    }
  },
);

test('options of run that would have no effect are refused', async () => {
  // They are, before anybody is asked.
  await using scratch = await Scratch.make({ through: 'terminal' });
  scratch.worker('a');
  for (const [argv, words] of [
    [['--agent', 'x'], /--agent .* needs -m/],
    [['--owns', 'src/**'], /--owns .* needs -m/],
    [['a', '-m', 'Do it'], /a is too much/],
    [['-m', 'Do it', '--failed'], /-m adds to a run or starts one, --failed/],
    [['--new', '--failed'], /--new starts another run, --failed/],
    [['--new', '--pinned'], /--new starts another run, --pinned/],
    [['--barrier', 'waves'], /barrier: expected one of/],
  ] as const) {
    const { code, stderr } = await scratch.czar('run', ...argv);
    assert.equal(code, 2, `${argv.join(' ')}: ${stderr}`);
    assert.match(stderr, words);
  }
  assert.deepEqual(scratch.log(), []);
});

test('three workers are at work at the same time, and a dependent starts when its own dependency is merged, while others of that wave still work', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  for (const id of ['slow', 'quick', 'other']) scratch.worker(id);
  scratch.worker('next', 'dependencies: [quick]');
  scratch.commitAll();
  const run = scratch.start('run');
  const agents = await Promise.all(
    ['slow', 'quick', 'other'].map(async (id) => scratch.stubs.agent(id)),
  );
  assert.equal(new Set(agents.map(({ cwd }) => cwd)).size, 3);
  assert.equal(new Set(agents.map(({ pid }) => pid)).size, 3);
  const [slow, quick, other] = agents;
  await quick?.write('quick.txt', 'done\n');
  await quick?.commit('quick');
  quick?.exit();
  const next = await scratch.stubs.agent('next');
  assert.equal((await next.run('cat', 'quick.txt')).stdout, 'done\n');
  for (const agent of [next, slow, other]) agent?.exit();
  assert.equal((await run.finished).code, 0);
  assertOrder(scratch.log(), 'worker.merged quick', 'worker.started next', 'worker.complete slow');
  assert.equal(mostLive(scratch.log()), 3);
});

test('where no terminal cuts it, the summary of a run, its budgets and resources are whole', async () => {
  await using scratch = await Scratch.make();
  const id = `long-${'name-'.repeat(8)}of-a-worker`;
  scratch.scripted(
    'if [ "$CZAR_ATTEMPT" = 1 ]; then exit 1; fi; echo x > "$CZAR_WORKER.txt"\n',
    'retry: {initial: 0s}\nresources: {a-resource-with-quite-a-long-name: 3}\n',
  );
  scratch.worker(id, 'budget: {tokens: 1000}\nresources: {a-resource-with-quite-a-long-name: 1}');
  scratch.commitAll();
  const { code, stdout, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /1 commit, 1 file \(1 new\), 2 attempts$/m);
  const budget = (await scratch.czar('budget')).stdout;
  assert.ok(budget.includes(id), budget);
  for (const text of [stdout, budget, (await scratch.czar('resources')).stdout])
    assert.doesNotMatch(text, /…/);
});
