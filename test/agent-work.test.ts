/** What becomes of an agent's work: committed for it, kept, restored; and what its tree holds. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { keptListSchema, keptRestoreSchema, keptShowSchema } from '../src/report/kept-schemas.ts';
import { Scratch } from './support/scratch.ts';

test('what an agent that ended well left uncommitted is committed for it and merged, and the event names it', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `echo one > committed.txt; git add -A; git commit -q -m 'Its own'
echo changed >> README.md; mkdir 'deep folder'; echo two > 'deep folder/ünté.txt'`,
  );
  scratch.worker('a');
  scratch.commitAll();
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
  const [collected] = (await scratch.events()).filter((event) => event.type === 'work.collected');
  const { committedFor, commits } = collected.data.work;
  assert.deepEqual(committedFor.files.toSorted(), ['README.md', 'deep folder/ünté.txt']);
  assert.equal(commits, 2);
  const run = collected.run;
  const at = (path: string): string => scratch.git('show', `czar/${run}-integration:${path}`);
  assert.equal(at('committed.txt'), 'one');
  assert.equal(at('deep folder/ünté.txt'), 'two');
  assert.equal(at('README.md'), '# scratch\nchanged');
  const [who, message] = scratch
    .git('show', '-s', '--format=%an <%ae>%n%B', committedFor.commit)
    .split(/\n(.*)/s);
  assert.equal(who, 'Test User <user@example.org>');
  assert.match(message ?? '', new RegExp(`^Czar-Run: ${run}\nCzar-Worker: a$`, 'm'));
  assert.equal(
    scratch.git('show', '-s', '--format=%an <%ae> %cn <%ce>', `${committedFor.commit}^`),
    'Test User <user@example.org> Test User <user@example.org>',
  );
});

test('what an agent that asks left uncommitted is kept beside its branch, not committed for it', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `echo one > done.txt; git add -A; git commit -q -m Done; echo two > open.txt; czar emit ask 'Which?'`,
  );
  scratch.worker('a');
  scratch.commitAll();
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 5, stderr);
  const [collected] = (await scratch.events()).filter((event) => event.type === 'work.collected');
  const { work } = collected.data;
  assert.deepEqual([work.committedFor, work.commits], [null, 1]);
  assert.equal(scratch.git('show', `${work.kept[0].ref}:open.txt`), 'two');
  const tree = (await scratch.czar('path', 'a')).stdout.trim();
  assert.equal(readFileSync(join(tree, 'open.txt'), 'utf8'), 'two\n');
});

test('fault 29, fault 30: what a failed agent left is kept at that moment and comes back byte for byte, over nothing that is there', async () => {
  await using scratch = await Scratch.make();
  const bytes = Buffer.from([0, 255, 10, 13, 10, 254, 128, 0]);
  scratch.config('retry: {max_attempts: 1}\n');
  scratch.worker('a');
  scratch.commitAll();
  const running = scratch.start('run');
  const agent = await scratch.stubs.agent('a');
  await agent.write('committed.txt', 'one\n');
  const commit = await agent.commit('Its own');
  writeFileSync(join(agent.cwd, 'binary.bin'), bytes);
  await agent.write('sub/run.sh', '#!/bin/sh\n');
  await agent.run('chmod', '+x', 'sub/run.sh');
  await agent.run('ln', '-s', 'sub/run.sh', 'link');
  await agent.write('README.md', 'changed\r\n');
  agent.exit(3);
  assert.equal((await running.finished).code, 1);

  const { kept } = keptListSchema.parse(await scratch.json('kept', 'list'));
  const [only] = kept;
  assert.ok(only?.worker === 'a' && kept.length === 1);
  assert.equal(scratch.git('rev-parse', only.ref), only.commit);
  scratch.git('merge-base', '--is-ancestor', commit, only.ref);
  const events = await scratch.events();
  const order = events.map((event) => event.type);
  assert.ok(order.indexOf('work.kept') < order.indexOf('worker.failed'), order.join(' '));
  const shown = await scratch.json('kept', 'show', 'a');
  keptShowSchema.parse(shown);
  assert.deepEqual(shown.files.map((file: { path: string }) => file.path).toSorted(), [
    'README.md',
    'binary.bin',
    'committed.txt',
    'link',
    'sub/run.sh',
  ]);

  const back = await scratch.czar('kept', 'restore', 'a', '--into', 'back', '--json');
  assert.equal(back.code, 0, back.stderr);
  assert.ok(keptRestoreSchema.parse(JSON.parse(back.stdout)).written.includes('link'));
  const folder = join(scratch.repo, 'back');
  assert.deepEqual(readFileSync(join(folder, 'binary.bin')), bytes);
  assert.equal(readFileSync(join(folder, 'README.md'), 'utf8'), 'changed\r\n');
  assert.equal(scratch.gitIn(folder, 'hash-object', 'sub/run.sh').length, 40);
  assert.deepEqual(readdirSync(folder).toSorted(), [
    'README.md',
    'binary.bin',
    'committed.txt',
    'link',
    'sub',
  ]);

  scratch.write('other/binary.bin', 'mine\n');
  const refused = await scratch.czar('kept', 'restore', 'a', '--into', 'other');
  assert.equal(refused.code, 4);
  assert.match(refused.stderr, /binary\.bin/);
  assert.deepEqual(readdirSync(join(scratch.repo, 'other')), ['binary.bin']);
  assert.equal((await scratch.czar('kept', 'show', 'nobody')).code, 3);
});

test('a retry begins clean, and the work of every failed attempt stays kept', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `ls > seen.txt; echo $CZAR_ATTEMPT > attempt.txt
[ $CZAR_ATTEMPT = 3 ] || { echo x > left-$CZAR_ATTEMPT.txt; git add -A; git commit -q -m half; exit 1; }`,
    'retry: {max_attempts: 3, initial: 0s}\n',
  );
  scratch.worker('a');
  scratch.commitAll();
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
  const { kept } = await scratch.json('kept', 'list');
  assert.equal(kept.length, 2);
  for (const [index, entry] of kept.entries())
    assert.equal(scratch.git('show', `${entry.ref}:left-${index + 1}.txt`), 'x');
  const run = kept[0].run;
  const files = scratch.git('ls-tree', '--name-only', `czar/${run}-integration`).split('\n');
  assert.deepEqual(files, ['.czar', 'README.md', 'attempt.txt', 'seen.txt']);
  assert.doesNotMatch(scratch.git('show', `czar/${run}-integration:seen.txt`), /left|attempt/);
});

test('a worker that is cancelled while it works has its commits and files kept at that moment', async () => {
  await using scratch = await Scratch.make();
  scratch.config('grace: 1s\n');
  scratch.worker('a');
  scratch.commitAll();
  const running = scratch.start('run');
  const agent = await scratch.stubs.agent('a');
  await agent.write('one.txt', 'one\n');
  const commit = await agent.commit('One');
  await agent.write('two.txt', 'two\n');
  const cancelled = await scratch.czar('cancel', 'a');
  assert.equal(cancelled.code, 0, cancelled.stderr);
  await running.finished;
  const { kept } = await scratch.json('kept', 'list', 'a');
  assert.equal(kept.length, 1);
  assert.equal(scratch.git('rev-parse', `${kept[0].ref}^`), commit);
  assert.equal(scratch.git('show', `${kept[0].ref}:two.txt`), 'two');
  const types = (await scratch.events()).map((event) => event.type);
  assert.ok(types.indexOf('work.collected') < types.indexOf('worker.cancelled'), types.join(' '));
});

test('WORKER_IDENTITY.md lies in the tree, every path in it opens, and it never merges', async () => {
  await using scratch = await Scratch.make();
  scratch.write('docs/guide.md', 'guide\n');
  scratch.config();
  scratch.worker('a', 'role: first\nhandoff: required\n');
  scratch.worker(
    'b',
    'dependencies: [a]\nowns: ["src/**"]\nreferences: ["docs/**"]\ndeliverables: [src/]\n',
    'Do it.',
  );
  scratch.worker('c', 'dependencies: [b]\n');
  scratch.commitAll();
  const running = scratch.start('run');
  const first = await scratch.stubs.agent('a');
  await first.write('src/a.ts', 'a\n');
  await first.run('czar', 'emit', 'handoff', 'Mind the gap.');
  first.exit();
  const agent = await scratch.stubs.agent('b');
  const identity = readFileSync(join(agent.cwd, 'WORKER_IDENTITY.md'), 'utf8');
  assert.match(identity, /Mind the gap\./);
  const linked = [...identity.matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1] ?? '');
  const absolute = [...identity.matchAll(/`(\/[^`]+)`/g)].map((match) => match[1] ?? '');
  const missing = [...linked, ...absolute].filter((path) => !existsSync(resolve(agent.cwd, path)));
  assert.ok(linked.length > 0 && absolute.length > 0, identity);
  assert.deepEqual(missing, [], identity);
  await agent.write('src/b.ts', 'b\n');
  await agent.run('git', 'add', '-A');
  await agent.run('git', 'commit', '-q', '-m', 'All of it');
  agent.exit();
  // One that adds it by force does not bring it in either: a person decides.
  const forced = await scratch.stubs.agent('c');
  await forced.write('src/c.ts', 'c\n');
  await forced.run('git', 'add', '-f', '-A');
  await forced.run('git', 'commit', '-q', '-m', 'All of it, by force');
  forced.exit();
  const done = await running.finished;
  assert.equal(done.code, 5, done.stderr);
  const events = await scratch.events();
  const blocked = events.filter((event) => event.type === 'worker.blocked');
  assert.deepEqual(
    blocked.map((event) => [event.worker, event.data.block.files]),
    [['c', ['WORKER_IDENTITY.md']]],
  );
  const tip = `czar/${events.find((event) => event.run).run}-integration`;
  assert.equal(scratch.git('show', `${tip}:src/b.ts`), 'b');
  assert.doesNotMatch(scratch.git('ls-tree', '-r', '--name-only', tip), /WORKER_IDENTITY/);
});

for (const end of [0, 1]) {
  test(`an agent that deletes .git (exit ${end}) reaches no other repository, and its files are not lost`, async () => {
    await using scratch = await Scratch.make();
    scratch.config('retry: {max_attempts: 1}\n');
    scratch.worker('a');
    scratch.commitAll();
    const running = scratch.start('run');
    const agent = await scratch.stubs.agent('a');
    await agent.write('early.txt', 'early\n');
    await agent.run('rm', '-rf', '.git');
    await agent.write('late.txt', 'late\n');
    for (const command of [
      ['rev-parse', '--show-toplevel'],
      ['add', '-A'],
      ['commit', '-q', '-m', 'x'],
    ])
      assert.notEqual((await agent.run('git', ...command)).code, 0, command.join(' '));
    scratch.assertUntouched();
    agent.exit(end);
    // An agent that ended well is not done when czar could not take its work: a person looks.
    assert.equal((await running.finished).code, end === 0 ? 5 : 1);
    const refs = scratch.git('for-each-ref', '--format=%(refname)', 'refs/czar').split('\n');
    const holding = refs.filter((ref) => {
      try {
        return (
          scratch.git('show', `${ref}:late.txt`) === 'late' &&
          scratch.git('show', `${ref}:early.txt`) === 'early'
        );
      } catch {
        return false;
      }
    });
    assert.ok(holding.length > 0, `${refs.join(' ')}\n${JSON.stringify(scratch.log(), null, 1)}`);
  });
}

test('work beside the branch and a merge left in the middle are kept and block, they are not passed over', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(`case $CZAR_WORKER in
orphan) git checkout -q --orphan new; echo x > orphan.txt; git add -A; git commit -q -m orphan;;
middle) echo a > m.txt; git add -A; git commit -q -m a; git checkout -q -b side HEAD^
  echo b > m.txt; git add -A; git commit -q -m b; git checkout -q -; git merge -q side; true;;
esac`);
  scratch.worker('orphan');
  scratch.worker('middle');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  const events = await scratch.events();
  const files = Object.fromEntries(
    events
      .filter((event) => event.type === 'worker.blocked')
      .map((event) => [event.worker, event.data.block.files]),
  );
  assert.deepEqual(files['middle'], ['m.txt']);
  assert.ok(files['orphan'].includes('orphan.txt'), JSON.stringify(files));
  const { kept } = await scratch.json('kept', 'list', 'orphan');
  assert.equal(scratch.git('show', `${kept[0].ref}:orphan.txt`), 'x');
  assert.equal(
    events.some((event) => event.type === 'worker.complete'),
    false,
  );
});

test('fault 61: a push from a tree fails with one sentence, wherever it goes', async () => {
  await using scratch = await Scratch.make();
  const remote = join(scratch.base, 'remote.git');
  mkdirSync(remote);
  scratch.gitIn(remote, 'init', '-q', '--bare');
  scratch.git('remote', 'add', 'origin', remote);
  scratch.git('push', '-q', 'origin', 'main');
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const running = scratch.start('run');
  const agent = await scratch.stubs.agent('a');
  await agent.write('a.txt', 'a\n');
  await agent.commit('a');
  const mirror = join(scratch.repo, '.git/czar/mirror.git');
  const before = [remote, mirror].map((at) => scratch.gitIn(at, 'for-each-ref'));
  for (const push of [
    ['push'],
    ['push', 'origin', 'HEAD:refs/heads/main'],
    ['push', '--force', 'origin', 'HEAD:main'],
    ['push', mirror, 'HEAD:refs/heads/x'],
    ['push', scratch.repo, 'HEAD:refs/heads/x'],
    ['push', remote, 'HEAD:refs/heads/x'],
  ]) {
    const done = await agent.run('git', ...push);
    assert.notEqual(done.code, 0, push.join(' '));
    assert.match(done.stderr, /agents do not push/, push.join(' '));
  }
  assert.deepEqual(
    [remote, mirror].map((at) => scratch.gitIn(at, 'for-each-ref')),
    before,
  );
  assert.equal((await agent.run('git', 'fetch', 'origin')).code, 0);
  agent.exit();
  assert.equal((await running.finished).code, 0);
});

test('files that are not committed for an agent lie where no cleaning reaches them, and everything names them', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `[ "$CZAR_ATTEMPT" = 1 ] || { cp "$CZAR_PROMPT_FILE" prompt.txt; exit 0; }
echo TOKEN=1 > .env.local; echo part > part.txt; exit 1
`,
    'retry: {max_attempts: 2, initial: 0s}\n',
  );
  scratch.worker('a');
  scratch.commitAll();
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /1 file left out of git/);
  scratch.git('clean', '-ffdxq');
  const { kept } = await scratch.json('kept', 'list');
  const [{ path, why, aside }] = kept[0].left_out;
  assert.deepEqual([path, why], ['.env.local', 'its name looks like a secret']);
  assert.match(aside, /^\.git\/czar\/aside\//);
  assert.equal(readFileSync(join(scratch.repo, aside), 'utf8'), 'TOKEN=1\n');
  const { integration } = (await scratch.json('status')).run;
  const told = [
    (await scratch.czar('kept', 'list')).stdout,
    (await scratch.czar('kept', 'show', 'a')).stdout,
    (await scratch.czar('status', 'a')).stdout,
    (await scratch.czar('events')).stdout,
    scratch.git('show', `${integration}:prompt.txt`),
  ];
  for (const text of told) {
    assert.ok(text.includes(aside), text);
    assert.match(text, /its name looks like a secret/);
  }
});

test('fault 67: a worker whose commits are too much blocks with them in its tree; when it begins anew they are kept, not merged', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `[ "$CZAR_ATTEMPT" = 1 ] || { echo small > small.txt; exit; }
head -c 300000 /dev/urandom > huge.bin; git add -A; git commit -q -m Huge; git rev-parse HEAD > "$HOME/huge"`,
    'max_work_size: 100KB\n',
  );
  scratch.worker('a');
  scratch.commitAll();
  const blocked = await scratch.czar('run');
  assert.equal(blocked.code, 5, blocked.stderr);
  assert.match(
    (await scratch.czar('why', 'a')).stdout,
    /its work could not be collected: its commits bring 30\d{4} bytes, and 100000 are allowed \(max_work_size\)/,
  );
  const huge = readFileSync(join(scratch.base, 'home/huge'), 'utf8').trim();
  const mirror = join(scratch.repo, '.git/czar/mirror.git');
  assert.throws(() => scratch.gitIn(mirror, 'cat-file', '-e', huge));
  const tree = (await scratch.czar('path', 'a')).stdout.trim();
  assert.equal(scratch.gitIn(tree, 'rev-parse', 'HEAD'), huge);

  // It goes on in its tree, at the commit that is too much.
  assert.equal((await scratch.czar('retry', 'a')).code, 0);
  assert.equal((await scratch.czar('run')).code, 5);
  assert.throws(() => scratch.gitIn(mirror, 'cat-file', '-e', huge));
  assert.equal((await scratch.czar('retry', 'a', '--clean')).code, 0);
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
  const { kept } = await scratch.json('kept', 'list');
  assert.deepEqual(
    kept.map(({ worker }: { worker: string }) => worker),
    ['a'],
  );
  scratch.git('merge-base', '--is-ancestor', huge, kept[0].ref);
  const [merged] = (await scratch.events()).filter(({ type }) => type === 'worker.merged');
  assert.equal(
    scratch.git('ls-tree', '--name-only', merged.data.commit, 'huge.bin', 'small.txt'),
    'small.txt',
  );
});
