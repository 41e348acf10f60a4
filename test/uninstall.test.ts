// `czar uninstall`, as the built program: nothing that an agent did is lost, and nothing of czar's is left.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { identify } from '../src/process/identity.ts';
import { Background } from './support/background.ts';
import { once } from './support/once.ts';
import { Scratch } from './support/scratch.ts';
import { goneFrom } from './support/through.ts';

/** A repository in which one worker's work is merged and another one's kept; a tree holds more than was collected. */
const used = once(async () => {
  const scratch = await Scratch.make();
  scratch.scripted(
    'echo $CZAR_WORKER > $CZAR_WORKER.txt; [ "$CZAR_WORKER" = good ] || { echo s > server.pem; exit 1; }',
    'retry: {max_attempts: 1}\n',
  );
  scratch.worker('good');
  scratch.worker('bad');
  scratch.commitAll();
  await scratch.czar('run');
  writeFileSync(join(scratch.repo, '.czar/worktrees/good/later.txt'), 'later\n');
  return scratch;
});

/** What of czar's is in the repository and the cache. */
function leftOvers(scratch: Scratch): readonly string[] {
  const home = readdirSync(join(scratch.repo, '.czar')).filter((name) =>
    ['worktrees', 'logs', 'runs'].includes(name),
  );
  const git = readdirSync(join(scratch.repo, '.git')).filter((name) => name.startsWith('czar'));
  const refs = scratch
    .gitIn(scratch.repo, 'for-each-ref', '--format=%(refname)')
    .split('\n')
    .filter((ref) => ref.includes('czar'));
  const checks = join(scratch.base, 'cache/czar/checks');
  return [...home, ...git, ...refs, ...(existsSync(checks) ? readdirSync(checks) : [])];
}

/** Takes everything out of a bundle and gives files by ref. */
function contentsOf(scratch: Scratch, bundle: string): ReadonlyMap<string, readonly string[]> {
  scratch.gitIn(
    scratch.repo,
    'fetch',
    '-q',
    '--no-write-fetch-head',
    bundle,
    '+refs/*:refs/taken/*',
  );
  const refs = scratch
    .gitIn(scratch.repo, 'for-each-ref', '--format=%(refname)', 'refs/taken/')
    .split('\n');
  return new Map(
    refs.map((ref) => [
      ref,
      scratch.gitIn(scratch.repo, 'ls-tree', '-r', '--name-only', ref).split('\n'),
    ]),
  );
}

const bundleOf = (scratch: Scratch): string => {
  const [name, ...more] = readdirSync(scratch.repo).filter((each) => each.endsWith('.bundle'));
  assert.deepEqual(more, []);
  assert.ok(name !== undefined);
  return join(scratch.repo, name);
};

/** Whether all that agents and people did is in the bundle. */
function assertAllThere(scratch: Scratch, bundle: string): void {
  const taken = [...contentsOf(scratch, bundle).values()].flat();
  for (const file of ['good.txt', 'bad.txt', 'later.txt']) assert.ok(taken.includes(file), file);
}

async function forgotten(scratch: Scratch): Promise<void> {
  scratch.discards();
  const name = `czar-work-${new Date().toISOString().slice(0, 10)}`;
  const files = ['', '-2'].flatMap((n) => [`${name}${n}.bundle`, `${name}${n}-aside/`]);
  scratch.allow({ refs: ['refs/taken/'], files });
}

test('uninstall bundles what is not merged, verifies it, and removes exactly what czar made', async () => {
  await using scratch = await used();
  await forgotten(scratch);
  const plan = readFileSync(join(scratch.repo, '.czar/config.yaml'), 'utf8');
  const head = scratch.git('rev-parse', 'HEAD');
  scratch.git('branch', 'czar-like');
  const declined = await scratch.czar('uninstall');
  assert.equal(declined.code, 4, declined.stderr);
  assert.match(declined.stdout, /^not merged +refs\/czar\/kept\/.*\/bad\/1 [0-9a-f]{10}$/m);
  const named = [...declined.stdout.matchAll(/^not merged .* ([0-9a-f]{10})$/gm)];
  assert.equal(new Set(named.map(([, commit]) => commit)).size, named.length, declined.stdout);
  assert.match(declined.stderr, /next: czar uninstall --yes/);
  assert.ok(existsSync(join(scratch.repo, '.git/czar/czar.db')));
  const { code, stdout, stderr } = await scratch.czar('uninstall', '--yes');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /verified\n/);
  assert.deepEqual(leftOvers(scratch), ['refs/heads/czar-like']);
  const bundle = bundleOf(scratch);
  scratch.gitIn(scratch.repo, 'bundle', 'verify', '-q', bundle);
  scratch.gitIn(scratch.repo, 'fsck', '--strict');
  assertAllThere(scratch, bundle);
  // What must not be in a commit lies beside it.
  const aside = `${bundle.replace(/\.bundle$/, '')}-aside`;
  assert.ok(
    readdirSync(aside, { recursive: true }).some((name) => String(name).endsWith('server.pem')),
  );
  assert.equal(readFileSync(join(scratch.repo, '.czar/config.yaml'), 'utf8'), plan);
  assert.equal(scratch.gitIn(scratch.repo, 'rev-parse', 'HEAD'), head);
  assert.equal((await scratch.czar('uninstall', '--yes')).code, 3);
  assert.equal((await scratch.czar('status')).code, 3);
});

test('without anything that is not merged there is no bundle', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('echo a > a.txt', 'isolation: worktree\n');
  scratch.worker('a');
  scratch.commitAll();
  await scratch.czar('run');
  scratch.allow({ refs: ['refs/heads/main', 'HEAD'], files: ['./'] });
  assert.equal((await scratch.czar('land')).code, 0);
  scratch.discards();
  // Czar was killed while it wrote them.
  for (const name of ['events.jsonl.new', 'events.log.position.new', 'daemon.log.new'])
    writeFileSync(join(scratch.repo, '.czar/logs', name), '');
  const done = await scratch.json('uninstall', '--yes');
  assert.deepEqual([done.unmerged, done.bundle, done.aside], [[], null, null]);
  assert.deepEqual(leftOvers(scratch), []);
  assert.equal(scratch.gitIn(scratch.repo, 'worktree', 'list').split('\n').length, 1);
});

/** Kills uninstall at a point, and calls it again. */
async function killedAt(point: string): Promise<void> {
  await using scratch = await used();
  await forgotten(scratch);
  scratch.env['CZAR_CRASH_AT'] = `uninstall:${point}`;
  assert.equal((await scratch.czar('uninstall', '--yes')).signal, 'SIGKILL', point);
  delete scratch.env['CZAR_CRASH_AT'];
  const again = await scratch.czar('uninstall', '--yes');
  assert.equal(again.code, 0, `${point}: ${again.stderr}`);
  assert.deepEqual(leftOvers(scratch), [], point);
  const bundles = readdirSync(scratch.repo).filter((name) => name.endsWith('.bundle'));
  // Killed before the log said that it was there, it is made once more.
  assert.equal(bundles.length, point === 'after-place' ? 2 : 1, point);
  assertAllThere(scratch, join(scratch.repo, bundles.toSorted().at(-1) ?? ''));
}

test('killed before anything is removed, uninstall does it when called again', async () => {
  for (const point of ['after-keep', 'before-place', 'after-place', 'after-event'])
    await killedAt(point);
});

test('killed while it removes, uninstall finishes when called again, with everything in the bundle', async () => {
  for (const point of ['after-refs', 'after-trees', 'before-state', 'after-rename'])
    await killedAt(point);
});

test('branches that the user moved or has checked out stay, and what they hold is in the bundle too', async () => {
  await using scratch = await used();
  await forgotten(scratch);
  const run = (await scratch.json('status')).run.id;
  scratch.git('worktree', 'add', '-q', join(scratch.base, 'other'), `czar/${run}-integration`);
  scratch.git('branch', '-f', `czar/${run}/good`, 'main');
  const done = await scratch.json('uninstall', '--yes');
  assert.deepEqual(done.left.toSorted(), [
    `refs/heads/czar/${run}-integration: it is checked out`,
    `refs/heads/czar/${run}/good: it was moved by someone else`,
  ]);
  assert.equal(
    scratch.gitIn(scratch.repo, 'rev-parse', `czar/${run}/good`),
    scratch.gitIn(scratch.repo, 'rev-parse', 'main'),
  );
  assertAllThere(scratch, done.bundle);
});

test('trees and outputs of runs that were started in a linked worktree go too, with what they hold kept', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('echo half > half.txt; exit 1', 'retry: {max_attempts: 1}\n');
  scratch.worker('a');
  scratch.commitAll();
  const other = join(scratch.base, 'other');
  scratch.git('worktree', 'add', '-q', '-b', 'side', other);
  assert.equal((await scratch.czar('run', '--repo', other)).code, 1);
  writeFileSync(join(other, '.czar/worktrees/a/later.txt'), 'later\n');
  await forgotten(scratch);
  const done = await scratch.json('uninstall', '--yes');
  assert.deepEqual(done.trees, [join(other, '.czar/worktrees/a')]);
  assert.deepEqual(leftOvers(scratch), []);
  assert.deepEqual(readdirSync(join(other, '.czar')).toSorted(), [
    'agent.sh',
    'config.yaml',
    'workers',
  ]);
  const taken = [...contentsOf(scratch, done.bundle).values()].flat();
  for (const file of ['half.txt', 'later.txt']) assert.ok(taken.includes(file), file);
});

test('uninstall is refused while a czar runs, while agents live, and before a tree that nobody knows', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const run = scratch.start('run');
  const agent = await scratch.stubs.agent('a');
  assert.equal((await scratch.czar('uninstall', '--yes')).code, 4);
  scratch.killLoop(run);
  await run.finished;
  const alive = await scratch.czar('uninstall', '--yes');
  assert.equal(alive.code, 4);
  assert.match(alive.stderr, /agents are still at work\n {2}at a/);
  agent.exit(0);
  const again = await scratch.czar('run');
  assert.equal(again.code, 0, again.stderr);
  const tree = join(scratch.repo, '.czar/worktrees/stranger/.git');
  mkdirSync(tree, { recursive: true });
  writeFileSync(join(tree, 'czar-tree'), '20200101-1 stranger 1\n');
  const strange = await scratch.czar('uninstall', '--yes');
  assert.equal(strange.code, 4);
  assert.match(strange.stderr, /at .*worktrees\/stranger/);
  assert.ok(existsSync(join(scratch.repo, '.git/czar/czar.db')));
});

test('a live run is removed only when that is asked for, with what its trees hold', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('echo half > half.txt; czar emit ask "which?"');
  scratch.worker('a');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  scratch.discards();
  scratch.allow({ refs: ['refs/taken/'], files: ['work.bundle'] });
  const declined = await scratch.czar('uninstall');
  assert.equal(declined.code, 4);
  assert.match(declined.stderr, /1 run is live/);
  const file = join(scratch.repo, 'work.bundle');
  assert.equal((await scratch.czar('uninstall', '--yes', '--out', file)).code, 0);
  assert.deepEqual(leftOvers(scratch), []);
  assert.ok([...contentsOf(scratch, file).values()].flat().includes('half.txt'));
  assert.equal((await scratch.czar('uninstall', '--out', file)).code, 4);
});

test('beside a daemon uninstall is refused and removes nothing; once that is stopped, everything of it goes too', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const { pid } = await daemon.start();
  const a = await scratch.stubs.agent('a');
  await a.write('half.txt', 'half\n');
  await scratch.happened('worker.active', 'a');
  const refused = await scratch.czar('uninstall', '--yes');
  assert.equal(refused.code, 4, refused.stderr);
  assert.match(refused.stderr, new RegExp(`pid ${pid}\\n *next: czar daemon stop`));
  // Dead for a moment: nothing may be removed under the one that comes next.
  const { guardian } = daemon.look() ?? {};
  assert.ok(typeof guardian === 'number');
  process.kill(guardian, 'SIGSTOP');
  const own = identify(pid);
  assert.ok(typeof own !== 'string');
  const before = daemon.kill();
  await goneFrom(own, 10_000);
  const between = await scratch.czar('uninstall', '--yes');
  process.kill(guardian, 'SIGCONT');
  assert.equal(between.code, 4, between.stderr);
  assert.match(between.stderr, new RegExp(`about to start it again\\n *at pid ${guardian}`));
  await daemon.again(before);
  assert.equal((await scratch.czar('daemon', 'stop')).code, 0);
  await daemon.ended();
  const working = await scratch.czar('uninstall', '--yes');
  assert.equal(working.code, 4);
  assert.match(working.stderr, /agents are still at work\n {2}at a/);
  await daemon.start();
  assert.equal((await scratch.czar('daemon', 'stop', '--agents', 'stop')).code, 0);
  await daemon.ended();
  await forgotten(scratch);
  const { bundle } = await scratch.json('uninstall', '--yes');
  assert.deepEqual(leftOvers(scratch), []);
  assert.ok([...contentsOf(scratch, bundle).values()].flat().includes('half.txt'));
  assert.deepEqual(readdirSync(join(scratch.base, 'rt/czar')), [], 'its socket too');
  assert.equal((await scratch.czar('daemon', 'status')).code, 3);
});
