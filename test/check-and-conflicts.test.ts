/** `czar check integration`, `czar gate` and `czar conflicts`. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { conflictsSchema } from '../src/report/conflicts-schema.ts';
import { gateSchema } from '../src/report/gates-schema.ts';
import { integrationSchema } from '../src/report/integration-schema.ts';
import { Scratch } from './support/scratch.ts';

test('check integration is content with a whole run, and names what was taken out, went on, or never came', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('[ $CZAR_WORKER = n ] || echo $CZAR_WORKER > $CZAR_WORKER.txt');
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\n');
  scratch.worker('n');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  const whole = await scratch.czar('check', 'integration');
  assert.equal(whole.code, 0, whole.stderr);
  assert.match(whole.stdout, /all 2 required branches/);
  const document = integrationSchema.parse(await scratch.json('check', 'integration'));
  const { branch, commit } = document.integration;
  assert.equal(scratch.git('rev-parse', branch), commit);
  for (const one of document.branches.filter(({ required }) => required))
    scratch.git('merge-base', '--is-ancestor', one.branch ?? '', branch);

  // A branch that is cleaned up after its merge is not missed.
  assert.equal((await scratch.czar('worktree', 'cleanup')).code, 0);
  assert.equal(scratch.git('branch', '--list', `czar/${document.run}/b`), '');
  const cleaned = await scratch.czar('check', 'integration');
  assert.equal(cleaned.code, 0, cleaned.stdout);
  for (const { branch: name, commit: tip } of document.branches)
    if (name !== null && tip !== null) scratch.git('branch', '-f', name, tip);

  // The integration branch is set back behind the merge of b.
  scratch.git('branch', '-f', branch, `${branch}^1`);
  const back = await scratch.czar('check', 'integration');
  assert.equal(back.code, 1);
  assert.match(back.stdout, /^✗ czar\/\S+\/b \(b\) is not in \S+: .*does not have it any more\n$/);
  assert.deepEqual((await scratch.json('check', 'integration')).missing, ['b']);
  scratch.git('branch', '-f', branch, commit ?? '');
  assert.equal((await scratch.czar('check', 'integration')).code, 0);

  // A branch goes on after it was merged.
  const run = document.run;
  const more = scratch.git(
    'commit-tree',
    '-m',
    'more',
    '-p',
    `czar/${run}/a`,
    `czar/${run}/a^{tree}`,
  );
  scratch.git('branch', '-f', `czar/${run}/a`, more);
  const on = await scratch.czar('check', 'integration');
  assert.equal(on.code, 1);
  assert.match(on.stdout, /\(a\) is not in .*gone on since it was merged/);

  scratch.git('branch', '-D', '-q', branch);
  const gone = integrationSchema.parse(await scratch.json('check', 'integration'));
  assert.deepEqual([gone.ok, gone.integration.commit, gone.missing], [false, null, ['a', 'b']]);
  const where = `there is no branch ${branch}: refs/czar/integration/${run} has what was merged`;
  assert.equal(gone.branches[0]?.why, where);
  scratch.git('rev-parse', '--verify', `refs/czar/integration/${run}`);
});

test('check integration names workers that are not merged; what was skipped is not asked for', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('echo $CZAR_WORKER > $CZAR_WORKER.txt');
  scratch.worker('a');
  scratch.worker('b', 'verify: "echo no >&2; false"\n');
  scratch.worker('c', 'when: "false"\n');
  scratch.worker('d', 'dependencies: [b]\n');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  const checked = await scratch.czar('check', 'integration');
  assert.equal(checked.code, 1);
  assert.match(
    checked.stdout,
    /^✗ czar\/\S+\/b \(b\) .*it is blocked and was not merged\n✗ d is not in \S+: it is pending and was not merged\n$/,
  );
  const skipped = await scratch.czar('skip', 'b');
  assert.equal(skipped.stdout, 'b is skipped, and with it d, for want of it.\n');
  assert.equal((await scratch.czar('check', 'integration')).code, 0);
});

test('gate shows each gate with its verdict and what it printed, and says what was not judged', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    'echo $CZAR_WORKER > $CZAR_WORKER.txt',
    'checks: "echo looked; test ! -e b.txt"\n',
  );
  scratch.worker('a', 'deliverables: [a.txt]\nverify: "echo fine"\n');
  scratch.worker('b', 'dependencies: [a]\nverify: "echo b is fine"\n');
  scratch.worker('c', 'dependencies: [b]\nverify: "true"\n');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);

  const a = gateSchema.parse(await scratch.json('gate', 'a'));
  assert.deepEqual(
    a.gates.map(({ gate, on, result }) => [gate, on, result]),
    [
      ['deliverables', 'change', 'pass'],
      ['handoff', 'change', 'pass'],
      ['ownership', 'change', 'pass'],
      ['protect', 'change', 'pass'],
      ['verify', 'branch', 'pass'],
      ['checks', 'combined', 'pass'],
      ['verify', 'combined', 'pass'],
    ],
  );
  const verify = a.gates.find((one) => one.gate === 'verify' && one.on === 'branch');
  assert.match(readFileSync(join(scratch.repo, verify?.log ?? ''), 'utf8'), /fine/);
  assert.match(verify?.output ?? '', /fine/);

  const b = gateSchema.parse(await scratch.json('gate', 'b'));
  const red = b.gates.find((one) => one.gate === 'checks');
  assert.deepEqual([red?.on, red?.result], ['combined', 'fail']);
  assert.match(red?.output ?? '', /looked/);
  assert.ok(existsSync(join(scratch.repo, red?.log ?? 'none')));
  const text = await scratch.czar('gate', 'b');
  assert.equal(text.code, 0);
  assert.match(
    text.stdout,
    /✗ checks \(.*\) on the combined tree: failed[^]*output: \.czar\/runs\/[^]*\| looked/,
  );

  const c = gateSchema.parse(await scratch.json('gate', 'c'));
  assert.ok(c.gates.every((one) => one.result === null));
  assert.match(
    (await scratch.czar('gate', 'c')).stdout,
    /· verify \(true\) on its branch: not judged/,
  );
  assert.equal((await scratch.czar('gate', 'd')).code, 3);
});

for (const isolation of ['clone', 'worktree'] as const) {
  test(`conflicts sees what agents that live have committed, and changes nothing (${isolation})`, async () => {
    await using scratch = await Scratch.make();
    if (isolation === 'worktree')
      scratch.allow({ files: ['.git/worktrees/', '.git/logs/'], refs: ['refs/czar/'] });
    scratch.config(`isolation: ${isolation}\nmax_parallel: 5\n`);
    for (const id of ['a', 'b', 'c', 'd']) scratch.worker(id);
    scratch.worker('e', 'dependencies: [d]\n');
    scratch.commitAll();
    const running = scratch.start('run');
    const [a, b, c, d] = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (id) => scratch.stubs.agent(id)),
    );
    assert.ok(a && b && c && d);
    assert.deepEqual((await scratch.json('conflicts')).conflicts, []);
    for (const [agent, file, text] of [
      [a, 'both.txt', 'a'],
      [b, 'both.txt', 'b'],
      [c, 'other.txt', 'c'],
    ] as const) {
      await agent.write(file, `${text}\n`);
      await agent.commit(text);
    }
    await d.write('other.txt', 'd\n');
    d.exit();
    await scratch.happened('worker.merged', 'd');

    const found = conflictsSchema.parse(await scratch.json('conflicts'));
    const sorted = found.conflicts
      .map(({ workers, files }) => [workers.toSorted().join(), files] as const)
      .toSorted((one, other) => (one[0] < other[0] ? -1 : 1));
    assert.deepEqual(sorted, [
      ['a,b', ['both.txt']],
      ['c', ['other.txt']],
    ]);
    assert.deepEqual(found.unknown, []);
    assert.equal(found.branches.length, 4);
    const text = await scratch.czar('conflicts');
    assert.equal(text.code, 0);
    assert.match(text.stdout, /^czar\/\S+\/a and czar\/\S+\/b: both\.txt$/m);

    const e = await scratch.stubs.agent('e');
    for (const agent of [a, b, c, e]) agent.exit();
    assert.equal((await running.finished).code, 5);
    // What is in conflict now was said before.
    const blocked = (await scratch.json('status')).workers.filter(
      (worker: { state: string }) => worker.state === 'blocked',
    );
    assert.equal(blocked.length, 2);
  });
}
