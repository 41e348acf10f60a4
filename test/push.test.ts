/** `push: true`: merged branches and what has landed reach the remote, once, and nothing of the run hangs on it. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from './support/scratch.ts';

/** A repository with a bare remote that has its `main`; workers write a file each. */
async function withRemote(
  yaml = '',
  through: 'terminal' | 'daemon' = 'terminal',
): Promise<{ scratch: Scratch; remote: string }> {
  const scratch = await Scratch.make({ through });
  const remote = join(scratch.base, 'remote.git');
  mkdirSync(remote);
  scratch.gitIn(remote, 'init', '-q', '--bare', '-b', 'main');
  scratch.scripted('echo $CZAR_WORKER > $CZAR_WORKER.txt', `push: true\n${yaml}`);
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\n');
  scratch.commitAll();
  scratch.git('remote', 'add', 'origin', remote);
  scratch.git('push', '-q', 'origin', 'main');
  return { scratch, remote };
}

function branches(scratch: Scratch, remote: string): Record<string, string> {
  const format = '--format=%(refname:short) %(objectname)';
  const lines = scratch.gitIn(remote, 'for-each-ref', format, 'refs/heads').split('\n');
  return Object.fromEntries(lines.map((line) => line.split(' ')));
}

test('branches reach the remote when they are merged, and the target when it has landed', async () => {
  const { scratch, remote } = await withRemote();
  await using _scratch = scratch;
  const tracking = scratch.git('for-each-ref', 'refs/remotes');
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
  const { run } = await scratch.json('status');
  const main = scratch.git('rev-parse', 'main');
  assert.deepEqual(branches(scratch, remote), {
    main,
    [`czar/${run.id}/a`]: scratch.git('rev-parse', `czar/${run.id}/a`),
    [`czar/${run.id}/b`]: scratch.git('rev-parse', `czar/${run.id}/b`),
  });
  const landed = await scratch.czar('land');
  assert.equal(landed.code, 0, landed.stderr);
  assert.notEqual(scratch.git('rev-parse', 'main'), main);
  assert.equal(branches(scratch, remote)['main'], scratch.git('rev-parse', 'main'));
  // No branch of the user's that follows the remote moves.
  assert.equal(scratch.git('for-each-ref', 'refs/remotes'), tracking);
  const pushed = (await scratch.events()).filter((event) => event.type === 'refs.pushed');
  const refs = pushed.flatMap(({ data }) => Object.keys(data.refs));
  assert.deepEqual(refs.toSorted(), [
    `refs/heads/czar/${run.id}/a`,
    `refs/heads/czar/${run.id}/b`,
    'refs/heads/main',
  ]);
});

test('a landing that was killed reaches the remote when the next one carries it through', async () => {
  for (const place of ['land:after-cas', 'land:after-index', 'land:before-fetch']) {
    const { scratch, remote } = await withRemote();
    await using _scratch = scratch;
    assert.equal((await scratch.czar('run')).code, 0);
    scratch.env['CZAR_CRASH_AT'] = place;
    assert.equal((await scratch.czar('land')).signal, 'SIGKILL', place);
    delete scratch.env['CZAR_CRASH_AT'];
    assert.equal((await scratch.czar('land')).code, 0, place);
    assert.equal(branches(scratch, remote)['main'], scratch.git('rev-parse', 'main'), place);
    const [last] = (await scratch.events()).filter(({ type }) => type === 'refs.pushed').slice(-1);
    assert.deepEqual(Object.keys(last?.data.refs), ['refs/heads/main'], place);
  }
});

test('without a remote the run succeeds, and without push: true nothing is pushed', async () => {
  const { scratch, remote } = await withRemote();
  await using _scratch = scratch;
  scratch.git('remote', 'remove', 'origin');
  assert.equal((await scratch.czar('run')).code, 0);
  assert.equal((await scratch.czar('land')).code, 0);
  const pushed = (await scratch.events()).filter((event) => event.type === 'refs.pushed');
  assert.ok(pushed.length > 0 && pushed.every(({ data }) => data.remote === null));

  scratch.git('remote', 'add', 'origin', remote);
  const before = branches(scratch, remote);
  assert.equal((await scratch.czar('--set', 'push=false', 'run', '--new')).code, 0);
  assert.deepEqual(branches(scratch, remote), before);
});

test('a branch that the remote does not take is left, with the reason, and is not forced', async () => {
  const { scratch, remote } = await withRemote();
  await using _scratch = scratch;
  assert.equal((await scratch.czar('run')).code, 0);
  // Somebody else has pushed to main meanwhile.
  const tree = scratch.gitIn(remote, 'rev-parse', 'main^{tree}');
  const identity = ['-c', 'user.name=x', '-c', 'user.email=x@example.org'];
  const other = scratch.gitIn(
    remote,
    ...identity,
    'commit-tree',
    '-m',
    'other',
    '-p',
    'main',
    tree,
  );
  scratch.gitIn(remote, 'update-ref', 'refs/heads/main', other);
  const landed = await scratch.czar('land');
  assert.equal(landed.code, 0, landed.stderr);
  assert.equal(branches(scratch, remote)['main'], other);
  const last = (await scratch.events()).findLast((event) => event.type === 'refs.pushed');
  assert.match(last.data.left['refs/heads/main'], /rejected/);
  assert.match(landed.stderr, /not pushed: main: .*rejected[^]*git pull --no-rebase origin main/);
  // Done as it says, the branch is no longer said to be behind.
  scratch.git('switch', '-q', 'main');
  scratch.git(...identity, 'pull', '-q', '--no-rebase', '--no-edit', remote, 'main');
  scratch.git('push', '-q', 'origin', 'main');
  const again = await scratch.czar('land');
  assert.equal(again.code, 0, again.stderr);
  assert.doesNotMatch(again.stderr, /not pushed/);
});

for (const through of ['terminal', 'daemon'] as const) {
  test(`what the remote refuses is said and tried again by the next land (${through})`, async () => {
    const { scratch, remote } = await withRemote('', through);
    await using _scratch = scratch;
    const hook = join(remote, 'hooks/pre-receive');
    writeFileSync(hook, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const done = await scratch.czar('run', '--quiet');
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /not pushed to origin: czar\/[^ ]+\/a: .*hook declined.*\/b: /);
    const landed = await scratch.czar('land', '--json');
    assert.equal(landed.code, 0, landed.stderr);
    const refs = (text: string) => JSON.parse(text).not_pushed.map(({ ref }: any) => ref);
    assert.ok(refs(landed.stdout).includes('refs/heads/main'));
    const refused = await scratch.czar('land');
    assert.equal(refused.code, 0, refused.stderr);
    assert.match(refused.stderr, /not pushed: main: .*hook declined[^]*next: .*czar land/);
    const status = (await scratch.czar('status')).stdout;
    assert.match(status, /^not pushed to origin: .*main: .*hook declined/m);
    const told = (await scratch.czar('report', 'closeout')).stdout;
    assert.match(told, /refs\/heads\/main was not taken by origin/);
    rmSync(hook);
    const again = await scratch.czar('land');
    assert.equal(again.code, 0, again.stderr);
    assert.doesNotMatch(again.stderr, /not pushed/);
    assert.equal(Object.keys(branches(scratch, remote)).length, 3);
    assert.equal(branches(scratch, remote)['main'], scratch.git('rev-parse', 'main'));
    assert.equal((await scratch.json('status')).run.not_pushed, undefined);
    const count = (await scratch.events()).length;
    assert.equal((await scratch.czar('land')).code, 0);
    assert.equal((await scratch.events()).length, count);
  });
}

test('a remote that is away is tried again, holds nobody up for ever, and gets everything later', async () => {
  const { scratch, remote } = await withRemote();
  await using _scratch = scratch;
  renameSync(remote, `${remote}.away`);
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
  const failed = (await scratch.events()).filter(
    (event) => event.type === 'effect.failed' && event.data.effect === 'push',
  );
  assert.ok(failed.length > 1);
  assert.match(done.stdout + done.stderr, /push/);
  renameSync(`${remote}.away`, remote);
  assert.equal((await scratch.czar('land')).code, 0);
  const { run } = await scratch.json('status');
  const there = branches(scratch, remote);
  assert.equal(there[`czar/${run.id}/b`], scratch.git('rev-parse', `czar/${run.id}/b`));
  assert.equal(there['main'], scratch.git('rev-parse', 'main'));
});

for (const place of ['push:before', 'push:after']) {
  test(`killed at ${place} the next run pushes what is missing, and merges nothing twice`, async () => {
    const { scratch, remote } = await withRemote();
    await using _scratch = scratch;
    scratch.env['CZAR_CRASH_AT'] = place;
    const killed = await scratch.czar('run');
    assert.equal(killed.signal, 'SIGKILL', `${place} was not reached: ${killed.stderr}`);
    delete scratch.env['CZAR_CRASH_AT'];
    const done = await scratch.czar('run');
    assert.equal(done.code, 0, done.stderr);
    const { run } = await scratch.json('status');
    const there = branches(scratch, remote);
    for (const id of ['a', 'b'])
      assert.equal(there[`czar/${run.id}/${id}`], scratch.git('rev-parse', `czar/${run.id}/${id}`));
    const merged = (await scratch.events()).filter((event) => event.type === 'worker.merged');
    assert.equal(merged.length, 2);
  });
}

test('no hook of the user runs when czar pushes', async () => {
  const { scratch, remote } = await withRemote();
  await using _scratch = scratch;
  const hook = join(scratch.repo, '.git/hooks/pre-push');
  scratch.acting(() => {
    mkdirSync(join(scratch.repo, '.git/hooks'), { recursive: true });
    writeFileSync(hook, `#!/bin/sh\ntouch ${join(scratch.base, 'hooked')}\nexit 1\n`);
    chmodSync(hook, 0o755);
  });
  assert.equal((await scratch.czar('run')).code, 0);
  assert.equal(Object.keys(branches(scratch, remote)).length, 3);
});
