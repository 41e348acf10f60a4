/**
 * czar on a disk of a few megabytes that fills up or becomes read-only at chosen instants: launches stop, agents go on,
 * everything is said, and when there is space again the run ends as if nothing had happened.
 *
 * The sweep takes a few instants of its reference run; with CZAR_EVERY_INSTANT=1 it takes every one.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Event } from '../src/core/events.ts';
import { isPublishing } from '../src/core/publish.ts';
import { noSources } from '../src/core/limits.ts';
import { newRun } from '../src/daemon/new-run.ts';
import { openLoop } from '../src/daemon/open-loop.ts';
import { locate } from '../src/daemon/place.ts';
import { inspectRepository } from '../src/daemon/repository.ts';
import { onlyHome } from '../src/plan/config-layers.ts';
import { loadPlan } from '../src/plan/load.ts';
import { Background } from './support/background.ts';
import { all, statesOf } from './support/log.ts';
import { Scratch } from './support/scratch.ts';
import { skip, smallDisk, type SmallDisk } from './support/small-disk.ts';
import { inTerminal } from './support/through.ts';

const megabyte = 1024 * 1024;

test(
  'fault 7: on a full disk nothing is started, agents go on, and so does the run when there is space',
  { skip },
  async () => {
    using disk = smallDisk(48 * megabyte);
    await using scratch = await Scratch.make({ within: disk.path });
    scratch.config('retry: {initial: 0s, max_attempts: 1}\n');
    scratch.worker('a');
    scratch.worker('b', 'dependencies: [a]\n');
    scratch.commitAll();
    disk.fill();
    const refused = await scratch.czar('run');
    assert.equal(refused.code, 4);
    assert.match(refused.stderr, /^czar: the disk is full: .*\n {2}next: free some space/m);
    disk.free();
    const run = scratch.start('run');
    const a = await scratch.stubs.agent('a');
    await a.write('a.txt', 'x'.repeat(9000));
    disk.fill();
    const emitted = await a.run(
      'sh',
      '-c',
      'czar emit handoff "$(head -c 9000 /dev/zero | tr "\\\\0" x)"',
    );
    assert.equal(emitted.code, 1, 'an agent is told that its report is not there');
    assert.match(emitted.stderr, /could not be written: ENOSPC/);
    a.exit(0);
    await run.seen('The disk is full: nothing is started until there is space.');
    const shown = await scratch.czar('status');
    assert.match(shown.stdout, /a +active \(ended\)/);
    assert.match(shown.stdout, /^disk: .* free, below the reserve of .*; nothing starts/m);
    const { stdout: cause } = await scratch.czar('why', 'a');
    assert.match(cause, /^a is active: its agent has ended; it has not been collected yet\.$/m);
    assert.deepEqual(scratch.stubs.launches, ['a/1']);
    disk.free();
    const b = await scratch.stubs.agent('b');
    assert.ok(existsSync(join(b.cwd, 'a.txt')));
    b.exit(0);
    const { code, stderr } = await run.finished;
    assert.equal(code, 0, stderr);
    assert.equal(stderr.match(/disk is full/g)?.length, 1, 'it is said once');
    assert.match(stderr, /can be written again/);
    assert.deepEqual(scratch.stubs.launches, ['a/1', 'b/1']);
    assert.deepEqual(all(scratch.log(), 'worker.error'), []);
  },
);

test(
  'fault 7: a run that is told to end on a full disk leaves its agents to the next one',
  { skip: skip || inTerminal('beside a daemon Ctrl-C ends nothing').skip },
  async () => {
    using disk = smallDisk(48 * megabyte);
    await using scratch = await Scratch.make({ within: disk.path });
    scratch.config();
    scratch.worker('a');
    scratch.commitAll();
    const run = scratch.start('run');
    const a = await scratch.stubs.agent('a');
    await a.write('a.txt', 'a');
    // The report file has a block of its own from here on.
    await a.run('czar', 'emit', 'checkpoint', 'begun');
    await scratch.happened('worker.checkpoint', 'a');
    disk.fill();
    assert.equal((await a.run('czar', 'emit', 'checkpoint', 'half')).code, 0);
    await run.seen('The disk is full');
    run.child.kill('SIGINT');
    const ended = await run.finished;
    assert.match(ended.stderr, /cannot be written: czar ends now, agents go on/);
    assert.equal(ended.code, 130, ended.stderr);
    disk.free();
    const next = scratch.start('run');
    a.exit(0);
    const { code, stderr } = await next.finished;
    assert.equal(code, 0, stderr);
    assert.equal(all(scratch.log(), 'worker.checkpoint').length, 2);
    assert.equal(scratch.git('ls-tree', '--name-only', integration(scratch), 'a.txt'), 'a.txt');
  },
);

test(
  'a daemon that dies on a full disk is started again until there is space, and meanwhile that is told',
  { skip },
  async () => {
    using disk = smallDisk(48 * megabyte);
    await using scratch = await Scratch.make({ within: disk.path });
    await using daemon = new Background(scratch);
    scratch.config();
    scratch.worker('a');
    scratch.commitAll();
    await daemon.start();
    const a = await scratch.stubs.agent('a');
    disk.fill();
    const before = daemon.kill();
    await daemon.says('czar: the disk is full');
    await daemon.says('the daemon ended with 1; it is started again in 2 s');
    const lost = await scratch.czar('daemon', 'status');
    assert.match(lost.stderr, /\(pid \d+\) has died, and its guardian starts it again/);
    assert.match((await scratch.czar('status')).stdout, /has died, .*its guardian starts it again/);
    const asked = await scratch.czar('daemon', 'start');
    assert.equal(asked.code, 4, asked.stdout);
    assert.match(asked.stderr, /^czar: the disk is full: .*\n {2}next: free some space/m);
    disk.free();
    await daemon.again(before);
    a.exit(0);
    await daemon.ended();
    assert.deepEqual(scratch.stubs.launches, ['a/1']);
    assert.equal((await scratch.json('status')).run.state, 'complete');
  },
);

test(
  'fault 8: a tree that the disk has no room for costs no attempt, and gives back what it took',
  { skip },
  async () => {
    using disk = smallDisk(48 * megabyte);
    await using scratch = await Scratch.make({ within: disk.path });
    scratch.scripted(
      'echo $CZAR_WORKER > $CZAR_WORKER.txt',
      // Without a reserve, which would keep it from being made at all.
      'retry: {initial: 0s, max_attempts: 1}\ndisk_reserve: 0B\n',
    );
    scratch.worker('a');
    scratch.write('big', 'x'.repeat(4 * megabyte));
    scratch.commitAll();
    disk.fill(3 * megabyte);
    const run = scratch.start('run');
    await scratch.happened('effect.failed', 'a');
    const { stdout } = await scratch.czar('why', 'a');
    assert.match(
      stdout,
      /^a is starting: .* failed and it is tried again: .*unable to write file big/,
    );
    const half = readdirSync(join(scratch.repo, '.czar/worktrees')).filter(
      (name) => name !== '.gitignore',
    );
    assert.deepEqual(
      // What is set aside is on its way out.
      half.filter((name) => !name.includes('making') && name !== '.trash'),
      [],
    );
    disk.free();
    const { code, stderr } = await run.finished;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /a prepare-tree failed, try 1: .*unable to write file big/);
    assert.deepEqual(statesOf(scratch.log(), 'a'), [
      'pending',
      'ready',
      'starting',
      'active',
      'verifying',
      'merging',
      'complete',
    ]);
  },
);

test(
  'fault 11: on a read-only disk everything can be looked at, and what would write is refused',
  { skip },
  async () => {
    using disk = smallDisk(48 * megabyte);
    await using scratch = await Scratch.make({ within: disk.path });
    scratch.scripted(
      'echo here; echo $CZAR_WORKER > $CZAR_WORKER.txt; [ $CZAR_WORKER = a ]',
      'retry: {initial: 0s, max_attempts: 1}\n',
    );
    scratch.worker('a');
    scratch.worker('b', 'dependencies: [a]\n');
    scratch.commitAll();
    const refuses = async (...args: readonly string[]): Promise<void> => {
      const { code, stderr, stdout } = await scratch.czar(...args);
      assert.equal(code, 4, `${args.join(' ')}: ${stderr}${stdout}`);
      assert.match(
        stderr,
        /^czar: the log lies on a read-only file system.*\n {2}next: status, why, events and logs work/m,
      );
    };
    {
      using _sealed = readOnly(disk);
      await refuses('run');
    }
    assert.equal((await scratch.czar('run')).code, 1);
    {
      using _sealed = readOnly(disk);
      for (const args of [['run', '--failed'], ['retry', 'b'], ['land']]) await refuses(...args);
      for (const args of [['status'], ['why', 'b'], ['logs', 'b'], ['events'], ['diff', 'a']]) {
        const { code, stderr, stdout } = await scratch.czar(...args);
        assert.equal(code, 0, stderr);
        assert.notEqual(stdout, '');
      }
    }
    assert.equal((await scratch.czar('retry', 'b')).code, 0);
  },
);

function readOnly(disk: SmallDisk): Disposable {
  disk.readOnly(true);
  return { [Symbol.dispose]: () => disk.readOnly(false) };
}

const script = `set -e
echo "$CZAR_WORKER/$CZAR_ATTEMPT" >> "$LAUNCHES"
echo "$CZAR_WORKER" > "$CZAR_WORKER.txt"
if [ "$CZAR_WORKER/$CZAR_ATTEMPT" = b/1 ]; then echo lost > half; exit 3; fi
`;

test(
  'faults 7 and 8: wherever in a run the disk is full, the run ends as if nothing had happened',
  { skip },
  async () => {
    using disk = smallDisk(64 * megabyte);
    const reference = await play(disk, null);
    assert.ok(reference.events > 40);
    const every = process.env['CZAR_EVERY_INSTANT'] === '1';
    const step = every ? 1 : Math.ceil(reference.events / 3);
    for (let seq = every ? 2 : 8; seq < reference.events; seq += step) {
      const played = await play(disk, seq);
      assert.deepEqual(played.story, reference.story, `full from event ${seq} on`);
    }
  },
);

/** Plays the reference run in a repository of its own; from the event on the disk is full until somebody notices. */
async function play(
  disk: SmallDisk,
  full: number | null,
): Promise<{ readonly story: readonly string[]; readonly events: number }> {
  await using scratch = await Scratch.make({ within: disk.path });
  const launches = join(scratch.base, 'home/launches');
  scratch.scripted(
    `LAUNCHES=${launches}\n${script}`,
    'retry: {initial: 0s}\nmax_parallel: 2\ndisk_reserve: 0B\n',
  );
  scratch.worker('a', 'verify: test -f a.txt');
  scratch.worker('b', 'dependencies: [a]\nverify: test -f b.txt');
  scratch.worker('c', 'dependencies: [a]');
  scratch.commitAll();
  const place = locate({ from: scratch.repo, czarDir: null, cwd: scratch.repo });
  const found = await inspectRepository({ directory: scratch.repo });
  assert.ok(!('error' in place) && found.kind === 'repository', JSON.stringify(found));
  const { facts } = found;
  const { plan } = loadPlan({ ...place, sources: onlyHome });
  assert.ok(plan !== null);
  const log: Event[] = [];
  let noticed = false;
  const relieve = (): void => {
    noticed = true;
    disk.free();
  };
  const opened = await openLoop({
    facts,
    home: place.home,
    env: scratch.env,
    now: Date.now,
    onCommit: (events) => {
      const before = log.length;
      log.push(...events);
      if (full !== null && before < full && log.length >= full) disk.fill();
      if (!noticed && events.some((event) => event.type === 'effect.failed')) relieve();
    },
    onNotice: () => {},
    onStall: relieve,
    admit: async (state, git) => {
      const made = await newRun({
        git,
        facts,
        plan,
        scope: null,
        base: null,
        target: null,
        includeDirty: false,
        approve: false,
        sources: noSources,
        state,
        now: Date.now(),
      });
      assert.ok(made.ok);
      return made.request;
    },
  });
  assert.ok('loop' in opened);
  {
    await using open = opened;
    const { loop, admitted } = open;
    assert.ok((await loop.send({ ...admitted, by: 'user' })).ok || full !== null);
    if (!loop.state.runs.has(admitted.run))
      assert.ok((await loop.send({ ...admitted, by: 'user' })).ok);
    await loop.until((state, idle) => {
      const run = state.runs.get(admitted.run);
      return idle && run !== undefined && run.state !== 'running' && !isPublishing(run);
    });
    const ended = loop.state.runs.get(admitted.run);
    const blocks = [...(ended?.workers.values() ?? [])].map(({ id, block }) => [id, block]);
    assert.equal(ended?.state, 'complete', JSON.stringify(blocks));
  }
  const launched = readFileSync(launches, 'utf8').trim().split('\n');
  assert.deepEqual(launched.toSorted(), ['a/1', 'b/1', 'b/2', 'c/1']);
  const tree = scratch.git('ls-tree', '-r', '--name-only', integration(scratch)).split('\n');
  assert.deepEqual(
    tree.filter((path) => path.endsWith('.txt')),
    ['a.txt', 'b.txt', 'c.txt'],
  );
  const kept = scratch.git('for-each-ref', '--format=%(refname)', 'refs/czar/kept');
  assert.equal(scratch.git('ls-tree', '-r', '--name-only', kept, 'half'), 'half');
  // Reports, publishing and failed tries come when they come; what happened to each worker does not change.
  const passing = new Set(['effect.failed', 'refs.published', 'attempt.read']);
  const story = log
    .filter(({ type, worker }) => worker !== undefined && !passing.has(type))
    .map(({ worker, type, attempt = '' }) => `${worker} ${attempt} ${type}`);
  // The order of merging decides how many commands judge a tree.
  return { story: [...new Set(story)].toSorted(), events: log.length };
}

function integration(scratch: Scratch): string {
  const refs = scratch.git('for-each-ref', '--format=%(refname)', 'refs/heads/czar').split('\n');
  return refs.find((ref) => ref.endsWith('-integration')) ?? '';
}
