/** The verbs that only look, over a log that the core wrote, with nothing running. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Event } from '../src/core/events.ts';
import type { Intent } from '../src/core/intents.ts';
import { openJournal, type SqliteJournal } from '../src/journal/sqlite.ts';
import { statusSchema, workerStatusSchema } from '../src/report/status-schema.ts';
import { CoreWorld, planOf, runId } from './support/core-world.ts';

const launcher = join(import.meta.dirname, '../bin/czar');

test('without a log every reading verb ends with 3 and says how to get a run', async (t) => {
  const place = scratch(t);
  const verbs = [['status'], ['events'], ['why', 'a'], ['logs', 'a'], ['diff', 'a'], ['path', 'a']];
  for (const { code, stderr, stdout } of await Promise.all(
    verbs.map((argv) => czar(place, argv)),
  )) {
    assert.equal(code, 3);
    assert.match(stderr, /no run in this repository[^]*czar run/);
    assert.equal(stdout, '');
  }
  assert.equal(existsSync(join(place.repo, '.git/czar')), false);
});

test('outside a repository nothing can be read', async (t) => {
  const place = scratch(t);
  rmSync(join(place.repo, '.git'), { recursive: true });
  const { code } = await czar(place, ['status']);
  assert.equal(code, 2);
});

test('a folder that was removed is said to be gone', (t) => {
  const { base } = scratch(t);
  const script = 'mkdir gone && cd gone && rmdir ../gone && exec "$1" "$2"';
  for (const verb of ['status', 'run']) {
    const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', launcher, verb], {
      cwd: base,
      env: { PATH: process.env['PATH'], HOME: base },
      encoding: 'utf8',
    });
    assert.equal(status, 2);
    assert.match(stderr, /the folder that czar was started in is gone\n {2}next: change to/);
  }
});

test('status, why and events tell of a run that stands still, as text and as documents', async (t) => {
  const place = scratch(t);
  const { world } = place.write(isWatch);
  const status = await czar(place, ['status', '--json']);
  const document = statusSchema.parse(JSON.parse(status.stdout));
  assert.equal(document.run.id, runId);
  assert.deepEqual(
    document.workers.map((worker) => worker.state),
    ['active', 'active', 'pending'],
  );
  const one = await czar(place, ['status', 'c', '--json']);
  assert.deepEqual(workerStatusSchema.parse(JSON.parse(one.stdout)).worker.waiting_on, ['a', 'b']);
  assert.match((await czar(place, ['status'])).stdout, /· +c +pending +a, b/);
  assert.match((await czar(place, ['why', 'c'])).stdout, /^c is pending: .*a .*b/);
  const events = await czar(place, ['events', '--json']);
  const lines = events.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map((line) => line.seq),
    world.log.map((event) => event.seq),
  );
  assert.match((await czar(place, ['events', '--limit', '1'])).stdout, /^1970-\S+ [ab] \S+.*\n$/);
  const classic = await czar(place, ['events', '--format', 'classic', '--worker', 'a']);
  assert.match(classic.stdout, /^\S+ a WORKER_START attempt=1\n$/);
});

test('status --at shows a moment of the past, by number and by time', async (t) => {
  const place = scratch(t);
  const { world } = place.write(() => false);
  const ready = world.log.find((event) => event.type === 'worker.started');
  assert.ok(ready !== undefined);
  const then = await czar(place, ['status', '--at', String(ready.seq), '--json']);
  assert.equal(statusSchema.parse(JSON.parse(then.stdout)).totals.starting, 1);
  const time = await czar(place, ['status', '--at', '2100-01-01T00:00:00Z', '--json']);
  assert.equal(statusSchema.parse(JSON.parse(time.stdout)).run.state, 'complete');
  assert.equal((await czar(place, ['status', '--at', '999999'])).code, 3);
  assert.equal((await czar(place, ['status', '--at', 'yesterday'])).code, 2);
});

test('a worker or run that is not there ends with 3 and names what is', async (t) => {
  const place = scratch(t);
  place.write(() => true);
  assert.match((await czar(place, ['why', 'aa'])).stderr, /no worker "aa"[^]*did you mean a\?/);
  const run = await czar(place, ['status', '--run', '20990101-1']);
  assert.equal(run.code, 3);
  assert.match(run.stderr, new RegExp(runId));
  for (const argv of [
    ['events', '--worker', 'nope'],
    ['events', '--run', 'nope'],
    ['events', '--run', runId, '--worker', 'nope'],
  ]) {
    const { code, stdout, stderr } = await czar(place, argv);
    assert.equal(code, 3, argv.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /nope/);
  }
  assert.equal((await czar(place, ['path', 'a'])).code, 3);
  assert.equal((await czar(place, ['logs', 'a'])).code, 3);
});

test('events --follow prints what comes within a second, and ends with 130 on Ctrl-C', async (t) => {
  const place = scratch(t);
  const { journal, world } = place.write(isWatch, { keepOpen: true });
  const child = start(place, ['events', '--follow', '--worker', 'a']);
  await child.says('WORKER_ACTIVE');
  const before = world.log.length;
  world.send({
    kind: 'reports',
    run: runId,
    worker: 'a',
    attempt: 1,
    reports: [{ kind: 'checkpoint', name: 'half' }],
    refused: [],
    reportOffset: 1,
    outputOffset: 0,
  });
  const asked = performance.now();
  journal.append(world.log.slice(before), world.state);
  await child.says('CHECKPOINT name=half');
  assert.ok(performance.now() - asked < 1000);
  child.process.kill('SIGINT');
  assert.equal(await child.code(), 130);
});

test('a stream whose reader goes away ends quietly', async (t) => {
  const place = scratch(t);
  place.write(isWatch);
  const child = start(place, ['events', '--follow']);
  await child.says('RUN_STARTED');
  child.process.stdout.destroy();
  place.write(() => false, { from: 'log' });
  assert.equal(await child.code(), 0);
  assert.equal(child.errors(), '');
});

test('logs prints an attempt, follows it to its end, and shows nothing that steers the terminal', async (t) => {
  const place = scratch(t);
  const { journal, world } = place.write(isWatch, { keepOpen: true });
  const dir = join(place.repo, '.czar/runs', runId, 'a/1');
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'output'), 'first \u001b[2Jline\n');
  const once = await czar(place, ['logs', 'a']);
  assert.equal(once.stdout, 'first line\n');
  const child = start(place, ['logs', 'a', '-f']);
  await child.says('first line');
  appendFileSync(join(dir, 'output'), 'second line\n');
  await child.says('second line');
  appendFileSync(join(dir, 'errors'), 'no line break at the end');
  const before = world.log.length;
  world.rest();
  journal.append(world.log.slice(before), world.state);
  assert.equal(await child.code(), 0);
  assert.match(child.output(), /no line break at the end\n$/);
  assert.equal((await czar(place, ['logs', 'a', '--attempt', '2'])).code, 3);
});

test('a linked worktree and a moved repository find the same log', async (t) => {
  const place = scratch(t);
  place.write(() => true);
  const linked = join(place.base, 'linked');
  mkdirSync(join(place.repo, '.git/worktrees/linked'), { recursive: true });
  writeFileSync(join(place.repo, '.git/worktrees/linked/commondir'), '../..\n');
  mkdirSync(linked);
  writeFileSync(join(linked, '.git'), `gitdir: ${join(place.repo, '.git/worktrees/linked')}\n`);
  const { stdout } = await czar({ ...place, repo: linked }, ['status', '--json']);
  assert.equal(statusSchema.parse(JSON.parse(stdout)).run.id, runId);
});

test(
  'a folder without write permission can be read',
  { skip: process.getuid?.() === 0 },
  async (t) => {
    const place = scratch(t);
    place.write(() => true);
    const state = join(place.repo, '.git/czar');
    chmodSync(state, 0o500);
    t.after(() => chmodSync(state, 0o700));
    assert.equal((await czar(place, ['status'])).code, 0);
  },
);

test('a damaged log is refused in a sentence', async (t) => {
  const place = scratch(t);
  mkdirSync(join(place.repo, '.git/czar'), { recursive: true });
  writeFileSync(join(place.repo, '.git/czar/czar.db'), 'x'.repeat(5000));
  const { code, stderr } = await czar(place, ['status']);
  assert.equal(code, 4);
  assert.match(stderr, /the log is damaged/);
  assert.doesNotMatch(stderr, /\n\s+at .*:\d+:\d+/);
});

interface Place {
  readonly base: string;
  readonly repo: string;
  readonly write: (
    held: (intent: Intent) => boolean,
    options?: { readonly keepOpen?: boolean; readonly from?: 'log' },
  ) => { readonly world: CoreWorld; readonly journal: SqliteJournal };
}

/** A repository in which nothing but a `.git` folder is, and a way to write a run of three workers into its log. */
function scratch(t: TestContext): Place {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'czar-reading-')));
  t.after(() => rmSync(base, { recursive: true, force: true }));
  const repo = join(base, 'repo');
  mkdirSync(join(repo, '.git'), { recursive: true });
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }, { id: 'c', on: ['a', 'b'] }]));
  const write: Place['write'] = (held, options = {}) => {
    const journal = openJournal(join(repo, '.git/czar/czar.db'));
    t.after(() => journal.close());
    world.rest(() => null, held);
    const known = options.from === 'log' ? journal.head().seq : 0;
    const events: readonly Event[] = world.log.slice(known);
    journal.append(events, world.state);
    if (options.keepOpen !== true) journal.close();
    return { world, journal };
  };
  return { base, repo, write };
}

function isWatch(intent: Intent): boolean {
  return intent.kind === 'watch';
}

interface Child {
  readonly process: ReturnType<typeof spawnCzar>;
  readonly says: (text: string) => Promise<void>;
  readonly output: () => string;
  readonly errors: () => string;
  readonly code: () => Promise<number | null>;
}

function start(place: Place, argv: readonly string[]): Child {
  const child = spawnCzar(place, argv);
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const exit = once(child, 'exit');
  return {
    process: child,
    output: () => output,
    errors: () => errors,
    says: async (text) => {
      while (!output.includes(text)) await once(child.stdout, 'data');
    },
    code: async () => {
      await exit;
      return child.exitCode;
    },
  };
}

async function czar(
  place: Place,
  argv: readonly string[],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = start(place, argv);
  const closed = once(child.process, 'close');
  await closed;
  return { code: child.process.exitCode, stdout: child.output(), stderr: child.errors() };
}

function spawnCzar({ repo, base }: Place, argv: readonly string[]) {
  return spawn(launcher, argv, {
    cwd: repo,
    env: { PATH: process.env['PATH'], HOME: base, LANG: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}
