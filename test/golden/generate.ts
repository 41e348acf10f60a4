/**
 * Writes the golden logs of the present version: `node test/golden/generate.ts NUMBER [KIND…]`, after `npm run build`.
 * Refuses to touch what is there: a golden log is never edited (README.md).
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { emptyState, evolve } from '../../src/core/evolve.ts';
import type { Outcome } from '../../src/core/commands.ts';
import type { Event } from '../../src/core/events.ts';
import { limitsOf, noSources } from '../../src/core/limits.ts';
import type { Intent } from '../../src/core/intents.ts';
import { chainHash, genesis } from '../../src/journal/chain.ts';
import { decodeEvent, encodeEvent, type StoredEvent } from '../../src/journal/codec.ts';
import { CoreWorld, endOf, planOf, runId, success, treeVerdict } from '../support/core-world.ts';
import { Scratch } from '../support/scratch.ts';
import { plainState } from '../support/golden.ts';
import { fallbackLog, listLog, sessionLog, teardownLog } from './session-log.ts';
import { permissionLog } from './permission-log.ts';
import { pushLog } from './push-log.ts';
import { queueLog } from './queue-log.ts';
import { resolutionLog } from './resolution-log.ts';
import { syncLog } from './sync-log.ts';
import { reviewLog } from './review-log.ts';
import { keptLog } from './kept-log.ts';
import { treeLog } from './tree-log.ts';
import { pullLog, sentBackLog } from './pull-log.ts';

const [number = '', ...named] = process.argv.slice(2);
if (!/^\d+$/.test(number)) throw new Error('give the number of the first log that is written');
const kinds: Readonly<
  Record<string, () => readonly StoredEvent[] | Promise<readonly StoredEvent[]>>
> = {
  run: runLog,
  rare: rareLog,
  pauses: pauseLog,
  amend: amendLog,
  prune: pruneLog,
  approvals: approvalLog,
  uninstall: uninstallLog,
  budget: budgetLog,
  limits: limitsLog,
  resources: resourceLog,
  sessions: sessionLog,
  lists: listLog,
  fallback: fallbackLog,
  teardown: teardownLog,
  permissions: permissionLog,
  sync: syncLog,
  push: pushLog,
  queue: queueLog,
  resolution: resolutionLog,
  reviews: reviewLog,
  kept: keptLog,
  trees: treeLog,
  pulls: pullLog,
  'sent-back': sentBackLog,
};
let next = Number(number);
for (const [what, make] of Object.entries(kinds)) {
  if (named.length > 0 && !named.includes(what)) continue;
  write(next, what, await make());
  next += 1;
}

/** A day of a repository, by the built CLI with real git: runs that complete, wait, are steered, cancelled and landed. */
async function runLog(): Promise<readonly StoredEvent[]> {
  await using scratch = await Scratch.make();
  scratch.scripted(
    readFileSync(join(import.meta.dirname, 'agent.sh'), 'utf8'),
    'retry: {max_attempts: 2, initial: 0s}\nmax_parallel: 3\n',
  );
  scratch.worker(
    'a',
    'setup: "true"\nverify: test -f a.txt\nowns: [a.txt, both.txt]\ntasks: [write it]',
  );
  scratch.worker('b', 'dependencies: [{on: a, inputs: [a.txt], reason: reads it}]');
  scratch.worker('c');
  scratch.worker('d');
  scratch.worker('e');
  scratch.worker('f', 'verify: test -f missing');
  scratch.worker('g', 'verify: kill -9 $$');
  scratch.worker('h', 'dependencies: [a]\nwhen: workers.a.no_change');
  scratch.worker('i');
  scratch.worker('j', 'workspace: empty\ndeliverables: [j.txt]');
  scratch.worker('k');
  scratch.worker('l', 'dependencies: [k]');
  scratch.commitAll();
  const czar = async (code: number, ...args: readonly string[]): Promise<void> => {
    const done = await scratch.czar(...args);
    assert.equal(done.code, code, `${args.join(' ')}: ${done.stdout}${done.stderr}`);
  };
  const first = scratch.start('run');
  await scratch.happened('worker.active', 'k');
  await czar(0, 'cancel', 'k');
  await first.finished;
  const run = scratch.log().find((event) => event.type === 'run.started').run;
  scratch.git('branch', '-f', `czar/${run}/d`, 'main~1');
  await czar(0, 'answer', 'd', 'the second');
  await czar(0, 'unblock', 'e', '-m', 'it is there now');
  await czar(0, 'approve', 'i', '--path', '.github/workflows/ci.yml');
  for (const id of ['c', 'f', 'g']) await czar(0, 'skip', id);
  await czar(0, 'skip', 'k', '--satisfy');
  await czar(0, 'run');
  scratch.allow({ refs: ['refs/heads/main', 'HEAD'], files: ['./'] });
  await czar(0, 'land');
  scratch.worker('m');
  await czar(1, 'run', '--new', 'm');
  scratch.worker('n');
  const last = scratch.start('run', '--new', 'n');
  await scratch.happened('worker.active', 'n');
  await czar(0, 'cancel', '--yes');
  await last.finished;
  using db = new DatabaseSync(join(scratch.repo, '.git/czar/czar.db'), { readOnly: true });
  const rows = db.prepare('SELECT * FROM event ORDER BY seq').all() as unknown as StoredEvent[];
  return rows.map((row) => anonymous(row, scratch.base));
}

/** What seldom happens, by the core alone. */
function rareLog(): readonly StoredEvent[] {
  const on = [{ on: 'first', kind: 'sequential', requires: 'verified' } as const];
  const world = new CoreWorld(
    planOf([{ id: 'first' }, { id: 'early', on }], { checks: ['make test'] }),
  );
  let red = true;
  let lost = true;
  let failing = 2;
  const script = (intent: Intent): Outcome => {
    if (intent.kind === 'prepare-tree' && failing > 0) {
      failing -= 1;
      const { run, worker, attempt, key, kind } = intent;
      return { kind: 'effect-failed', run, worker, attempt, key, effect: kind, error: 'no space' };
    }
    if (intent.kind === 'watch' && intent.worker === 'early' && intent.attempt === 1)
      return endOf(intent, { how: 'lost', why: 'the machine was restarted' });
    if (intent.kind === 'commit-merge' && lost) {
      lost = false;
      return { kind: 'merge-lost', run: intent.run, worker: intent.worker, found: 'elsewhere' };
    }
    if (intent.kind === 'check' && intent.subject === 'merge' && red) {
      red = false;
      return {
        kind: 'checked',
        run: intent.run,
        subject: intent.subject,
        worker: intent.worker,
        verdicts: intent.gates.map((gate) => treeVerdict(intent.tree, gate, 'inconclusive')),
      };
    }
    return success(intent);
  };
  world.rest(script);
  world.ask({ kind: 'retry', run: runId, worker: 'first', note: 'again', clean: true });
  world.rest(script);
  world.ask({
    kind: 'land',
    run: runId,
    target: 'main',
    mode: 'merge',
    partial: false,
    onto: 'base',
  });
  world.rest((intent) =>
    intent.kind === 'build-landing'
      ? { kind: 'landing-refused', run: runId, reason: 'it conflicts', files: ['a.txt'] }
      : null,
  );
  world.send({ kind: 'loop-ended', reason: 'closed' });
  return world.log.map((event) => encodeEvent(event));
}

/** A run that is paused and resumed, and workers of it, by the core alone. */
function pauseLog(): readonly StoredEvent[] {
  const world = new CoreWorld(
    planOf([{ id: 'a' }, { id: 'b', verify: ['v'] }, { id: 'c', on: ['a'] }]),
  );
  const ask = (kind: 'pause' | 'resume', worker: string | null): void => {
    assert.ok(world.ask({ kind, run: runId, worker }).ok);
  };
  world.rest(undefined, ({ kind }) => kind === 'watch');
  ask('pause', 'c');
  ask('pause', null);
  ask('pause', 'b');
  world.rest();
  ask('resume', null);
  world.rest(undefined, ({ kind }) => kind === 'check');
  world.ask({ kind: 'tell', run: runId, worker: 'b', text: 'the second' });
  ask('resume', 'b');
  ask('resume', 'c');
  world.rest(undefined, ({ kind }) => kind === 'check');
  ask('pause', null);
  world.rest();
  ask('pause', 'b');
  return world.log.map((event) => encodeEvent(event));
}

/** A plan that changes while it runs: a worker joins, one goes, one is changed, by the core alone. */
function amendLog(): readonly StoredEvent[] {
  const plan = planOf([{ id: 'a' }, { id: 'b', on: ['a'] }, { id: 'c', on: ['a'] }]);
  const world = new CoreWorld(plan);
  world.rest(undefined, ({ kind }) => kind === 'watch');
  const { workers } = planOf([{ id: 'a' }, { id: 'c', on: ['a'] }, { id: 'd', on: ['c'] }]);
  const changed = workers.map((one) => (one.id === 'c' ? { ...one, hash: 'h-c-2' } : one));
  const amended = { ...plan, revision: 'r2', workers: changed };
  assert.ok(world.ask({ kind: 'amend', run: runId, plan: amended, scope: null }).ok);
  world.rest();
  return world.log.map((event) => encodeEvent(event));
}

/** What is deleted on request, by the built CLI with real git. */
async function pruneLog(): Promise<readonly StoredEvent[]> {
  await using scratch = await Scratch.make();
  scratch.scripted('echo a > a.txt');
  scratch.worker('a');
  scratch.commitAll();
  await scratch.czar('run');
  scratch.git('branch', 'mine', `czar/${scratch.log()[1].run}-integration`);
  await scratch.czar('run', '--new');
  const now = ['--set', 'retention.outputs=1ms', '--set', 'retention.runs=1'];
  assert.equal((await scratch.czar('prune', ...now)).code, 0);
  using db = new DatabaseSync(join(scratch.repo, '.git/czar/czar.db'), { readOnly: true });
  const rows = db.prepare('SELECT * FROM event ORDER BY seq').all() as unknown as StoredEvent[];
  return rows.map((row) => anonymous(row, scratch.base));
}

/** Launches that are asked about, approved, denied and approved after all, by the core alone. */
function approvalLog(): readonly StoredEvent[] {
  const world = new CoreWorld(
    planOf([
      { id: 'a', approve: true },
      { id: 'b', owns: ['b'] },
      { id: 'c', on: ['a'] },
    ]),
    () => true,
    { approve: true },
  );
  const said = (kind: 'approve' | 'deny', ...workers: readonly string[]): void => {
    const request = kind === 'approve' ? { kind, workers } : { kind, workers, why: 'too dear' };
    assert.ok(world.ask({ ...request, run: runId }).ok);
  };
  world.rest();
  said('deny', 'a', 'b');
  said('approve', 'b');
  world.rest((intent) =>
    intent.kind === 'watch' ? endOf(intent, { how: 'exited', code: 1 }) : null,
  );
  world.ask({ kind: 'set-approval', run: runId, approve: false });
  said('approve', 'a');
  world.rest(undefined, ({ kind }) => kind === 'watch');
  world.ask({ kind: 'set-approval', run: runId, approve: true });
  world.rest();
  return world.log.map((event) => encodeEvent(event));
}

/** The log of a repository that czar is about to be removed from, by the built CLI with real git. */
async function uninstallLog(): Promise<readonly StoredEvent[]> {
  await using scratch = await Scratch.make();
  scratch.scripted('echo a > a.txt');
  scratch.worker('a');
  scratch.commitAll();
  await scratch.czar('run');
  scratch.discards();
  scratch.env['CZAR_CRASH_AT'] = 'uninstall:after-event';
  assert.equal(
    (await scratch.czar('uninstall', '--yes', '--out', `${scratch.base}/x`)).signal,
    'SIGKILL',
  );
  using db = new DatabaseSync(join(scratch.repo, '.git/czar/czar.db'), { readOnly: true });
  const rows = db.prepare('SELECT * FROM event ORDER BY seq').all() as unknown as StoredEvent[];
  return rows.map((row) => anonymous(row, scratch.base));
}

/** Budgets of a worker, the run and the day: warned of, used up and raised, by the core alone. */
function budgetLog(): readonly StoredEvent[] {
  const budget = { costUsd: 1, realityMultiplier: 1.5, limit: 100, onExceeded: 'block' } as const;
  const world = new CoreWorld(
    planOf([{ id: 'a', budget: { ...budget, tokens: 60 } }, { id: 'b' }], {
      budget: { run: { tokens: 1_000, costUsd: null }, day: { tokens: null, costUsd: 2 } },
    }),
  );
  world.rest(undefined, ({ kind }) => kind === 'watch');
  const usage = { input: 60, output: 25, cached: 10, costUsd: 0.5 };
  for (const offset of [1, 2]) {
    world.send({
      kind: 'reports',
      run: runId,
      worker: 'a',
      attempt: 1,
      reports: [{ kind: 'usage', usage }],
      refused: [],
      reportOffset: offset,
      outputOffset: 0,
    });
  }
  world.rest((intent) =>
    intent.kind === 'stop' ? endOf(intent, { how: 'stopped', why: 'requested', code: null }) : null,
  );
  for (const [scope, tokens, costUsd] of [
    ['run', 50, 0],
    ['day', 0, 0.5],
    ['worker', 200, 1],
  ] as const) {
    const worker = scope === 'worker' ? 'a' : null;
    const asked = { kind: 'raise-budget', run: runId, scope, worker, tokens, costUsd } as const;
    assert.ok(world.ask(asked).ok);
  }
  world.rest();
  return world.log.map((event) => encodeEvent(event));
}

/** Limits that change while a run is live: raised, taken away, and from another place, by the core alone. */
function limitsLog(): readonly StoredEvent[] {
  const plan = planOf([{ id: 'a' }, { id: 'b' }], { maxParallel: 1 });
  const world = new CoreWorld(plan, undefined, { sources: { ...noSources, environment: 'ci' } });
  world.rest(undefined, ({ kind }) => kind === 'watch');
  const prices = { stub: { input: 1, output: 2, cached: 0 } };
  const request = { kind: 'set-limits', run: runId } as const;
  const limits = { ...limitsOf(plan.policies), maxParallel: 2, prices };
  assert.ok(world.ask({ ...request, limits, sources: null }).ok);
  const { prices: _gone, ...without } = limits;
  const sources = { ...noSources, flags: ['max_parallel=2'] };
  assert.ok(world.ask({ ...request, limits: without, sources }).ok);
  world.rest();
  return world.log.map((event) => encodeEvent(event));
}

/** Resources of a machine, of a minute and by mode, and a disk that is low for a while, by the core alone. */
function resourceLog(): readonly StoredEvent[] {
  const of = (amount: number, mode: 'share' | 'read' | 'write' | 'exclusive' = 'share') => ({
    amount,
    mode,
  });
  const world = new CoreWorld(
    planOf(
      [
        { id: 'a', resources: { api: of(2), cpu: of(2) } },
        { id: 'b', resources: { db: of(0, 'read'), cpu: of(4) } },
        { id: 'c', resources: { api: of(1), db: of(1, 'write') } },
        { id: 'd', resources: { db: of(1, 'exclusive') } },
      ],
      {
        resources: {
          api: { amount: null, requestsPerMinute: 2, tokensPerMinute: 100 },
          db: { amount: 1, requestsPerMinute: null, tokensPerMinute: null },
        },
        diskReserveBytes: 2_000_000_000,
      },
    ),
  );
  const machine = { cpu: 4, memory: 8e9, disk: 100e9, free: 1e9 };
  world.send({ kind: 'machine-observed', machine });
  const [first] = world.intents();
  if (first !== undefined) world.perform(first);
  world.send({ kind: 'machine-observed', machine: { ...machine, free: 50e9 } });
  world.rest(undefined, ({ kind }) => kind === 'watch');
  world.send({
    kind: 'reports',
    run: runId,
    worker: 'a',
    attempt: 1,
    reports: [{ kind: 'usage', usage: { input: 90, output: 20, cached: 5, costUsd: 0.1 } }],
    refused: [],
    reportOffset: 1,
    outputOffset: 0,
  });
  world.rest();
  return world.log.map((event) => encodeEvent(event));
}

/** The row without what belongs to the machine that it was written on. */
function anonymous(row: StoredEvent, base: string): StoredEvent {
  const said = row.data
    .replaceAll(base, '/scratch')
    .replace(/"host":"[^"]*"/g, '"host":"host"')
    .replace(/"boot":"[^"]*"/g, '"boot":"boot"');
  return { ...row, data: said };
}

function write(n: number, what: string, rows: readonly StoredEvent[]): void {
  const path = join(import.meta.dirname, `${n}-${what}`);
  if (existsSync(`${path}.jsonl`)) throw new Error(`${path}.jsonl is there: take the next number`);
  const state = emptyState();
  let hash = genesis;
  const lines = rows.map((row) => {
    hash = chainHash(hash, row);
    const event: Event = decodeEvent(row);
    evolve(state, event);
    return JSON.stringify({ ...row, data: JSON.parse(row.data) as unknown, hash });
  });
  writeFileSync(`${path}.jsonl`, `${lines.join('\n')}\n`);
  writeFileSync(`${path}.state.json`, `${JSON.stringify(plainState(state), null, 1)}\n`);
  const types = new Set(rows.map(({ type }) => type));
  console.log(`${path}.jsonl: ${rows.length} events of ${types.size} types`);
}
