// `czar prune`, as the built program in repositories with runs that are over.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { keptDropSchema } from '../src/report/kept-schemas.ts';
import { Background } from './support/background.ts';
import { once } from './support/once.ts';
import { Scratch } from './support/scratch.ts';

const now = ['--set', 'retention.outputs=1ms', '--set', 'retention.runs=1'];

/** Two runs: the work of the first is landed when asked for; the second is the newest. */
async function twoRuns(options: {
  readonly land?: readonly string[];
  readonly agent?: string;
}): Promise<{ readonly scratch: Scratch; readonly first: string; readonly second: string }> {
  const scratch = await Scratch.make();
  scratch.scripted(options.agent ?? 'echo a > a.txt', 'retry: {max_attempts: 1}\n');
  scratch.worker('a.b');
  scratch.commitAll();
  await scratch.czar('run');
  const first = (await scratch.json('status')).run.id;
  if (options.land !== undefined) {
    scratch.allow({ refs: ['refs/heads/main', 'HEAD'], files: ['./'] });
    const landed = await scratch.czar('land', ...options.land);
    assert.equal(landed.code, 0, landed.stderr);
  }
  await scratch.czar('run', '--new');
  const second = (await scratch.json('status')).run.id;
  assert.notEqual(first, second);
  return { scratch, first, second };
}

let runs: readonly [string, string] | null = null;
const landed = once(async () => {
  const { scratch, first, second } = await twoRuns({ land: [] });
  runs = [first, second];
  return scratch;
});

/** The same, with the work of the first run merged into `main`: made once. */
async function twoLanded(): ReturnType<typeof twoRuns> {
  const scratch = await landed();
  assert.ok(runs !== null);
  const [first, second] = runs;
  return { scratch, first, second };
}

const outputs = (scratch: Scratch, run: string): string => join(scratch.repo, '.czar/runs', run);

/** Refs of a run in the repository and in the mirror, as `place ref`. */
function refsOf(scratch: Scratch, run: string): readonly string[] {
  const list = (folder: string): readonly string[] =>
    scratch
      .gitIn(folder, 'for-each-ref', '--format=%(refname)')
      .split('\n')
      .filter((ref) => ref.includes(run));
  return [
    ...list(scratch.repo).map((ref) => `repository ${ref}`),
    // What the mirror shows of the user's branches is brought up to date by many a command.
    ...list(join(scratch.repo, '.git/czar/mirror.git'))
      .filter((ref) => !ref.startsWith('refs/user/heads/'))
      .map((ref) => `mirror ${ref}`),
  ];
}

test('prune deletes outputs and refs of old runs whose work is landed, after an event that lists them', async () => {
  const made = await twoLanded();
  await using scratch = made.scratch;
  const { first, second } = made;
  const newest = refsOf(scratch, second);
  assert.ok(refsOf(scratch, first).length > 5);
  const done = await scratch.czar('prune', ...now);
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual(refsOf(scratch, first), []);
  assert.deepEqual(refsOf(scratch, second), newest);
  assert.ok(!existsSync(outputs(scratch, first)));
  const events = (await scratch.events()).slice(-2);
  assert.deepEqual(
    events.map(({ type }) => type),
    ['prune.started', 'prune.done'],
  );
  const [started, ended] = events;
  assert.equal(started.data.by, 'user');
  assert.deepEqual(started.data.outputs.toSorted(), [first, second].toSorted());
  assert.ok(
    started.data.refs.some((one: any) => one.ref === `refs/heads/czar/${first}-integration`),
  );
  assert.equal(ended.data.refs, started.data.refs.length);
  assert.ok(ended.data.bytes > 0);
  const again = await scratch.json('prune', ...now);
  assert.deepEqual([again.outputs, again.refs, again.bytes], [[], [], 0]);
  assert.equal((await scratch.events()).length, started.seq + 1);
  assert.equal((await scratch.czar('doctor')).code, 0);
  scratch.git('fsck', '--connectivity-only');
});

test('by default nothing young goes, and --dry-run lists with sizes and deletes nothing', async () => {
  const made = await twoLanded();
  await using scratch = made.scratch;
  const before = refsOf(scratch, made.first);
  const young = await scratch.json('prune');
  assert.deepEqual([young.outputs, young.refs, young.aside], [[], [], []]);
  const seq = (await scratch.events()).length;
  const { code, stdout } = await scratch.czar('prune', '--dry-run', ...now);
  assert.equal(code, 0);
  assert.match(stdout, new RegExp(`^would go +outputs of ${made.first} +[\\d.]+ kB$`, 'm'));
  assert.match(
    stdout,
    new RegExp(`^would go +refs/heads/czar/${made.first}-integration +[0-9a-f]{10}$`, 'm'),
  );
  assert.deepEqual(refsOf(scratch, made.first), before);
  assert.ok(existsSync(outputs(scratch, made.first)));
  assert.equal((await scratch.events()).length, seq);
});

test('work that was never landed keeps every ref that leads to it; kept work stays unless it has a time', async () => {
  const made = await twoRuns({
    agent: 'echo a > a.txt; git add -A; git commit -qm a; echo half > half.txt; exit 1',
  });
  await using scratch = made.scratch;
  const { first } = made;
  const [entry, other] = (await scratch.json('kept', 'list')).kept;
  assert.equal(entry.run, first);
  assert.match((await scratch.czar('kept', 'drop', other.ref)).stderr, /merged nowhere/);
  const drop = keptDropSchema.parse(await scratch.json('kept', 'drop', other.ref, '--force'));
  assert.equal(drop.commit, other.commit);
  assert.deepEqual((await scratch.json('kept', 'list')).kept, [entry]);
  for (const folder of [scratch.repo, join(scratch.repo, '.git/czar/mirror.git')]) {
    assert.equal(scratch.gitIn(folder, 'rev-parse', drop.dropped), drop.commit);
    assert.equal(scratch.gitIn(folder, 'for-each-ref', drop.ref), '');
  }
  assert.ok((await scratch.json('status', 'a.b', '--run', other.run)).worker.kept.length === 0);
  const done = await scratch.czar('prune', ...now);
  assert.equal(done.code, 0, done.stderr);
  for (const folder of [scratch.repo, join(scratch.repo, '.git/czar/mirror.git')])
    assert.equal(scratch.gitIn(folder, 'rev-parse', entry.ref), entry.commit);
  const kept = await scratch.czar('prune', ...now, '--set', 'retention.kept=1ms');
  assert.equal(kept.code, 0, kept.stderr);
  assert.deepEqual((await scratch.json('kept', 'list')).kept, []);
  assert.equal(scratch.git('for-each-ref', 'refs/czar/dropped'), '', 'dropped work went first');
  assert.ok(
    (await scratch.events()).some(
      ({ type, data }) =>
        type === 'prune.started' &&
        data.refs.some((one: any) => one.ref === entry.ref && one.commit === entry.commit),
    ),
  );
  scratch.discards();
});

test('merged work that was not landed stays, with the reason', async () => {
  const made = await twoRuns({});
  await using scratch = made.scratch;
  const integration = `refs/heads/czar/${made.first}-integration`;
  const document = await scratch.json('prune', ...now);
  assert.ok(
    document.left.some(
      (one: any) => one.ref === integration && /neither landed nor reachable/.test(one.why),
    ),
  );
  assert.match(scratch.git('rev-parse', integration), /^[0-9a-f]{40}$/);
  // Reachable from a branch of the user's, it may go.
  scratch.git('branch', 'mine', integration);
  assert.equal((await scratch.czar('prune', ...now)).code, 0);
  assert.deepEqual(refsOf(scratch, made.first), []);
});

test('branches of work that was landed as one commit go, and its commits stay in the mirror', async () => {
  const made = await twoRuns({ land: ['--mode', 'squash'] });
  await using scratch = made.scratch;
  assert.equal((await scratch.czar('prune', ...now)).code, 0);
  const left = refsOf(scratch, made.first);
  assert.deepEqual(
    left.filter((ref) => ref.startsWith('repository')),
    [],
  );
  // The commits that were squashed stay where czar keeps them.
  assert.ok(left.some((ref) => ref.startsWith('mirror refs/czar/work/')));
  assert.equal(scratch.git('show', 'main:a.txt'), 'a');
});

test('a branch that the user moved or has checked out stays', async () => {
  const made = await twoLanded();
  await using scratch = made.scratch;
  const [moved, out] = [`czar/${made.first}/a.b`, `czar/${made.first}-integration`];
  scratch.git('branch', '-f', moved, 'main~1');
  scratch.git('worktree', 'add', '-q', join(scratch.base, 'other'), out);
  const { left } = await scratch.json('prune', ...now);
  const why = (name: string): unknown =>
    left.find((one: any) => one.ref === `refs/heads/${name}`)?.why;
  assert.equal(why(moved), 'it was moved by someone else');
  assert.equal(why(out), 'it is checked out');
  for (const name of [moved, out]) assert.ok(scratch.git('rev-parse', name) !== '');
});

test('killed at any of its points, prune has an event for what is gone, and does the rest when called again', async () => {
  const points = ['after-event', 'before-mirror', 'before-folder#2'];
  for (const point of points) {
    const made = await twoLanded();
    await using scratch = made.scratch;
    const before = refsOf(scratch, made.first);
    scratch.env['CZAR_CRASH_AT'] = `prune:${point}`;
    assert.equal((await scratch.czar('prune', ...now)).signal, 'SIGKILL', point);
    delete scratch.env['CZAR_CRASH_AT'];
    const gone = before.filter((ref) => !refsOf(scratch, made.first).includes(ref));
    const listed = (await scratch.events())
      .filter(({ type }) => type === 'prune.started')
      .flatMap(({ data }) => data.refs.map((one: any) => `${one.in} ${one.ref}`));
    assert.deepEqual(
      gone.filter((ref) => !listed.includes(ref)),
      [],
      point,
    );
    assert.equal((await scratch.czar('prune', ...now)).code, 0, point);
    assert.deepEqual(refsOf(scratch, made.first), [], point);
    assert.ok(!existsSync(outputs(scratch, made.first)), point);
    assert.equal((await scratch.czar('doctor')).code, 0, point);
  }
});

test('beside a run in a terminal, prune deletes what old runs hold, and the run that lives loses nothing', async () => {
  const made = await twoLanded();
  await using scratch = made.scratch;
  scratch.config();
  scratch.commitAll('steps');
  const run = scratch.start('run', '--new');
  const agent = await scratch.stubs.agent('a.b');
  const { id } = (await scratch.json('status')).run;
  const mine = refsOf(scratch, id);
  const dry = await scratch.json('prune', '--dry-run', ...now);
  assert.deepEqual(
    dry.outputs.map((one: any) => one.run).toSorted(),
    [made.first, made.second].toSorted(),
  );
  const done = await scratch.json('prune', ...now);
  assert.deepEqual(
    [done.dry_run, done.outputs, done.refs],
    [false, dry.outputs, dry.refs],
    'what was to go is gone',
  );
  assert.deepEqual(refsOf(scratch, made.first), []);
  assert.ok(!existsSync(outputs(scratch, made.first)));
  assert.deepEqual(refsOf(scratch, id), mine);
  await agent.write('b.txt', 'b\n');
  await agent.commit('b');
  agent.exit();
  assert.equal((await run.finished).code, 0);
  assert.ok(existsSync(outputs(scratch, id)));
  assert.equal((await scratch.czar('doctor')).code, 0);
});

test('a daemon that is on prunes when it is asked, goes on, and says so in its log', async () => {
  const made = await twoLanded();
  await using scratch = made.scratch;
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.commitAll('steps');
  const { pid, run } = await daemon.start('--new');
  const agent = await scratch.stubs.agent('a.b');
  await scratch.happened('worker.active', 'a.b', 1);
  const wrong = await scratch.czar('prune', '--set', 'retention.runs=none');
  assert.equal(wrong.code, 2, wrong.stderr);
  assert.equal((await agent.run('czar', 'prune')).code, 4);
  const done = await scratch.czar('prune', ...now);
  assert.equal(done.code, 0, done.stderr);
  assert.deepEqual(refsOf(scratch, made.first), []);
  assert.deepEqual(
    (await scratch.events())
      .filter(({ type }) => type.startsWith('prune.'))
      .map(({ type }) => type),
    ['prune.started', 'prune.done'],
  );
  assert.equal(daemon.look()?.pid, pid);
  agent.exit();
  await daemon.ended();
  assert.equal((await scratch.json('status', '--run', run)).run.state, 'complete');
  assert.ok(existsSync(outputs(scratch, run)));
});

test('a daemon that is killed while it prunes has an event for what is gone, goes on, and the rest goes with the next prune', async () => {
  const made = await twoLanded();
  await using scratch = made.scratch;
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.commitAll('steps');
  scratch.env['CZAR_CRASH_AT'] = 'prune:before-folder#2';
  await daemon.start('--new');
  delete scratch.env['CZAR_CRASH_AT'];
  const agent = await scratch.stubs.agent('a.b');
  await scratch.happened('worker.active', 'a.b', 1);
  const before = daemon.look();
  assert.ok(before !== null);
  const killed = await scratch.czar('prune', ...now);
  assert.equal(killed.code, 4, killed.stderr);
  assert.match(killed.stderr, /went away before it answered/);
  await daemon.again(before);
  assert.deepEqual(refsOf(scratch, made.first), []);
  const again = await scratch.czar('prune', ...now);
  assert.equal(again.code, 0, again.stderr);
  assert.ok(!existsSync(outputs(scratch, made.first)));
  assert.ok(!existsSync(outputs(scratch, made.second)));
  agent.exit();
  await daemon.ended();
  assert.equal((await scratch.czar('doctor')).code, 0);
});

test('prune beside a daemon that hangs, or one of another checkout, is refused with what to do', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const other = join(scratch.base, 'other');
  scratch.git('worktree', 'add', '-q', '-b', 'side', other);
  const { pid } = await daemon.start();
  const agent = await scratch.stubs.agent('a');
  const elsewhere = await scratch.czar('prune', '--repo', other);
  assert.equal(elsewhere.code, 4, elsewhere.stderr);
  assert.match(elsewhere.stderr, /another checkout[^]*czar daemon stop/);
  process.kill(pid, 'SIGSTOP');
  const hung = await scratch.czar('prune');
  process.kill(pid, 'SIGCONT');
  assert.equal(hung.code, 4, hung.stderr);
  assert.match(hung.stderr, /does not answer[^]*next: czar daemon restart/);
  agent.exit();
  await daemon.ended();
});
