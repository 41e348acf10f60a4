import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { AttemptLimits } from '../core/plan.ts';
import { startAttempt } from './attempt.ts';
import { watchFolder } from './changes.ts';
import { groupOf } from './companions.ts';
import { groupParents, membersOf, parseMembership, parseMounts } from './control-group.ts';
import { followAttempt } from './follow.ts';
import { liveness } from './identity.ts';
import { Meter, treeIn } from './meter.ts';
import { Runners } from './runners.ts';
import { attemptKey, readGroup, readStatus } from './status.ts';
import { readProcess, systemFacts } from './table.ts';
import { scan, stopTree } from './tree.ts';

const home = mkdtempSync(join(tmpdir(), 'czar-limits-'));
const grouped = new Runners(join(home, 'grouped'));
const alone = new Runners(join(home, 'alone'), { grouped: false });
const meter = new Meter();
after(async () => {
  await meter[Symbol.asyncDispose]();
  for (const runners of [grouped, alone]) runners[Symbol.dispose]();
  rmSync(home, { recursive: true, force: true });
});

const unlimited = { processes: null, memoryBytes: null };
const { pids, memory } = groupParents();
const noGroups = { skip: pids === null ? 'no control group can be made here' : false };
const noMemory = { skip: memory === null ? 'no control group can limit memory here' : false };
const noProc = { skip: systemFacts.platform !== 'proc' ? 'Linux only' : false };

async function begin(
  runners: Runners,
  script: string,
  limits: AttemptLimits = unlimited,
): Promise<{ readonly dir: string; readonly end: () => ReturnType<typeof followAttempt> }> {
  const dir = mkdtempSync(join(home, 'a-'));
  const result = await startAttempt(runners, {
    dir,
    argv: ['/bin/sh', '-c', script],
    cwd: '/',
    env: { PATH: process.env['PATH'] },
    own: { DIR: dir },
    limits,
    timeoutMs: null,
    unattendedMs: 60_000,
    graceMs: 100,
  });
  if (!('started' in result)) return assert.fail(result.failed);
  const end = async (): ReturnType<typeof followAttempt> =>
    followAttempt({
      dir,
      process: result.started,
      signal: AbortSignal.timeout(40_000),
      onActivity: () => {},
      runners,
    });
  return { dir, end };
}

async function stop(dir: string): Promise<number> {
  const { survivors } = await stopTree({
    marker: attemptKey(dir),
    roots: [],
    worktree: null,
    attemptDir: dir,
    graceMs: 0,
  });
  return survivors.length;
}

/** What the file in the folder says, once it is a whole line. */
async function line(dir: string, name: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const look = (): void => {
    const file = join(dir, name);
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (text.endsWith('\n')) resolve(text.trim());
  };
  using _watch = watchFolder(dir, 500, look);
  look();
  return await promise;
}

/** The limit that the attempt is over, as soon as one look finds it. */
async function over(dir: string, limits: AttemptLimits): Promise<string> {
  for (;;) {
    const found = await meter.over(dir, limits);
    if (found !== null) return found;
    if (readStatus(dir).kind === 'exited') assert.fail('it has ended');
    await new Promise((soon) => setImmediate(soon));
  }
}

/** Forks two of itself, seven times: 255 in all at most, each for 20 seconds. */
const bomb = `
left=8
boom() { left=$((left - 1)); [ $left -gt 0 ] || exec sleep 20; boom & boom & wait; }
boom`;

/** Fills memory, a megabyte at a time, up to 300 MB, and ends after 20 seconds. */
const filler = `exec ${process.execPath} -e 'const all = []; for (let i = 0; i < 300; i += 1) all.push(Buffer.alloc(1e6, 1)); setTimeout(() => all.pop(), 20_000)'`;

describe('the kernel', noGroups, () => {
  test('fault 37: a fork bomb gets no further than the limit, is on record, and is killed whole', async () => {
    const { dir } = await begin(grouped, bomb, { processes: 60, memoryBytes: null });
    const other = await begin(grouped, 'sleep 0 & wait $! && echo forked');
    assert.deepEqual(await other.end(), { how: 'exited', code: 0 });
    assert.equal(await over(dir, { processes: 60, memoryBytes: null }), 'processes');
    const group = readGroup(dir) ?? assert.fail('it is in no group');
    assert.ok(membersOf(group).length <= 61, `${membersOf(group).length} are in the group`);
    assert.equal(await stop(dir), 0);
    const status = readStatus(dir);
    assert.equal(status.kind === 'exited' ? status.over : status.kind, 'processes');
    grouped.release(dir);
  });

  test('an attempt that ends by itself after it hit a limit did not end well', async () => {
    const script = `(${bomb.replace('exec sleep 20', 'exit')}); exit 0`;
    const { dir, end } = await begin(grouped, script, { processes: 5, memoryBytes: null });
    const found = await end();
    assert.equal(found?.how === 'stopped' ? found.why : found?.how, 'processes');
    assert.equal(await stop(dir), 0);
    grouped.release(dir);
    // Its shim counted the hit: the next attempt of the kind has another, and no hit.
    const next = await begin(grouped, 'exit 0', { processes: 5, memoryBytes: null });
    assert.deepEqual(await next.end(), { how: 'exited', code: 0 });
  });

  test(
    'fault 38: what fills the memory is killed alone, and it is known why',
    noMemory,
    async () => {
      const limits = { processes: null, memoryBytes: 100_000_000 };
      const other = await begin(grouped, 'exec sleep 60');
      const { dir, end } = await begin(grouped, filler, limits);
      const found = await end();
      assert.deepEqual(found, { how: 'stopped', why: 'memory', code: 137 });
      assert.equal(await meter.over(dir, limits), 'memory');
      assert.equal(await stop(dir), 0);
      assert.equal(readStatus(other.dir).kind, 'running');
      assert.equal(await stop(other.dir), 0);
    },
  );

  test('what left its parent, its session and its environment is found and ended', async () => {
    const hidden =
      'exec >/dev/null 2>&1 </dev/null; cd /; echo $$ >"$1/hidden.new"; mv "$1/hidden.new" "$1/hidden"; exec sleep 60';
    const script = `env -i PATH="$PATH" setsid sh -c '(sh -c "$0" sh "$1" &)' '${hidden}' "$DIR"; read x <"$DIR/hidden"; exit 0`;
    const { dir, end } = await begin(grouped, script);
    const pid = Number(await line(dir, 'hidden'));
    const row = readProcess(pid, systemFacts);
    if (row === null || row === 'unknown') return assert.fail('it is not there');
    await end();
    const left = scan({ marker: attemptKey(dir), roots: [], worktree: null, attemptDir: dir });
    const found = left.find(({ process }) => process.pid === pid) ?? assert.fail('not found');
    assert.equal(await stop(dir), 0);
    assert.equal(liveness(found.process), 'gone');
    grouped.release(dir);
    // Its shim has another attempt now, which is none of the first one's.
    const next = await begin(grouped, 'echo up >"$DIR/up"; sleep 60');
    await line(next.dir, 'up');
    assert.deepEqual(readGroup(next.dir), readGroup(dir));
    assert.equal(await stop(dir), 0);
    assert.equal(readStatus(next.dir).kind, 'running');
    assert.equal(await stop(next.dir), 0);
  });

  test('holds an attempt until it is released, however many its shim had before', async () => {
    for (let n = 1; n <= 130; n += 1) {
      const { dir, end } = await begin(grouped, ':');
      await end();
      assert.ok(groupOf(dir) !== null, `attempt ${n}`);
      grouped.release(dir);
    }
  });
});

describe('without the kernel', noProc, () => {
  test('fault 37: a crowd of processes is seen by a look, and killed whole', async () => {
    const limits = { processes: 60, memoryBytes: null };
    const { dir } = await begin(alone, bomb, limits);
    assert.equal(readGroup(dir), null);
    assert.equal(await over(dir, limits), 'processes');
    assert.equal(await stop(dir), 0);
  });

  test('fault 38: so is what fills the memory, and memory that many share counts once', async () => {
    const limits = { processes: null, memoryBytes: 100_000_000 };
    const { dir } = await begin(alone, filler, limits);
    assert.equal(await over(dir, limits), 'memory');
    assert.equal(await stop(dir), 0);
    const many = 'for i in 1 2 3 4 5 6 7 8; do sleep 60 & done; echo up >"$DIR/up"; wait';
    const shared = await begin(alone, many);
    await line(shared.dir, 'up');
    assert.equal(await meter.over(shared.dir, { processes: 20, memoryBytes: 16_000_000 }), null);
    assert.equal(await stop(shared.dir), 0);
  });

  test('fault 38: the kernel takes an agent before what watches over it', async () => {
    const script = 'read x </proc/self/oom_score_adj; echo "$x" >"$DIR/score"; sleep 60';
    const { dir } = await begin(alone, script);
    const own = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'));
    assert.equal(Number(await line(dir, 'score')), Math.max(own, 500));
    const status = readStatus(dir);
    const shim = status.kind === 'running' ? status.shim?.pid : undefined;
    assert.equal(Number(readFileSync(`/proc/${shim}/oom_score_adj`, 'utf8')), own);
    assert.equal(await stop(dir), 0);
  });
});

test('fault 88: what an agent starts out of sight counts by session, parent and earlier looks, and the shim does not', () => {
  const row = (pid: number, ppid: number, session: number) => ({
    pid,
    ppid,
    session,
    threads: 1,
    memory: 0,
    start: '1',
  });
  const rows = [
    row(10, 1, 10),
    row(11, 10, 10),
    row(12, 11, 12),
    row(13, 12, 12),
    row(14, 1, 14),
    row(15, 14, 14),
    row(20, 1, 20),
    row(21, 20, 20),
  ];
  const pidsOf = (seen: readonly string[]): readonly number[] =>
    treeIn(rows, { shim: 10, agent: 11, seen: new Set(seen) })
      .map(({ pid }) => pid)
      .toSorted((a, b) => a - b);
  assert.deepEqual(pidsOf([]), [11, 12, 13]);
  assert.deepEqual(pidsOf(['14 1', '20 0']), [11, 12, 13, 14, 15]);
});

test('groups are found by the tables of the kernel, in both of its ways and below a folder of a container', () => {
  const membership = '8:pids:/\n4:memory,x:/a/b\n0::/user.slice/app.scope\n';
  assert.deepEqual(parseMembership(membership, 'memory'), [
    { unified: false, path: '/a/b' },
    { unified: true, path: '/user.slice/app.scope' },
  ]);
  const mounts = [
    '39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids',
    '40 31 0:37 /docker/1 /sys/fs/c\\040group rw shared:4 - cgroup cgroup rw,memory',
    '41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw',
    '',
  ].join('\n');
  assert.deepEqual(parseMounts(mounts, 'memory'), [
    { unified: false, root: '/docker/1', at: '/sys/fs/c group' },
    { unified: true, root: '/', at: '/sys/fs/cgroup/unified' },
  ]);
});
