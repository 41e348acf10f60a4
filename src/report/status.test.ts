import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { CoreWorld, endOf, planOf } from '../../test/support/core-world.ts';
import { attemptsOf } from './attempts.ts';
import { cells, wrap } from './cells.ts';
import { changeLine, progressLines } from './progress.ts';
import { statusSchema, workerStatusSchema } from './status-schema.ts';
import type { LivenessOf } from './liveness.ts';
import { statusDocument, workerStatusDocument } from './status.ts';
import { statusReport, statusText, workerText } from './status-text.ts';
import { nextCommand } from './next-command.ts';
import { summaryLines } from './summary.ts';
import { wordsOf } from './vocabulary.ts';

const text = { name: 'sample', width: 80, offsetMinutes: 0 };
const budget = {
  tokens: 1_200_000,
  costUsd: null,
  realityMultiplier: 1.5,
  limit: null,
  onExceeded: 'block',
} as const;

test('the document of a run has the agreed shape in every state of the seven workers', () => {
  const world = sevenWorkers();
  for (const held of [() => true, isWatch, () => false]) {
    world.rest(() => null, held);
    const document = documentOf(world);
    assert.deepEqual(statusSchema.parse(document), document);
    for (const worker of world.run.workers.values()) {
      const one = workerStatusDocument(worker, {
        ...options(world),
        attempts: attemptsOf(eventsOf(world, worker.id)),
      });
      assert.deepEqual(workerStatusSchema.parse(one), one);
    }
  }
});

test('waves and waiting_on are those of the plan, and a complete dependency is waited for no more', () => {
  const world = sevenWorkers();
  world.rest(
    () => null,
    (intent) => isWatch(intent) && 'worker' in intent && intent.worker === 'workflows',
  );
  const document = documentOf(world);
  assert.deepEqual(document.waves, [
    ['foundation', 'workflows'],
    ['patterns', 'security', 'testing'],
    ['templates'],
    ['qa'],
  ]);
  const templates = document.workers.find((worker) => worker.id === 'templates');
  assert.deepEqual(templates?.waiting_on, ['workflows']);
  assert.deepEqual(
    templates?.dependencies.filter((edge) => !edge.satisfied).map((edge) => edge.on),
    ['workflows'],
  );
  assert.equal(templates?.wave, 3);
  assert.equal(document.totals.total, 7);
  assert.equal(document.totals.complete, 4);
  assert.equal(document.totals.percent, 57.1);
});

test('the table has a row for each worker and fits the width', () => {
  const world = sevenWorkers();
  world.rest(() => null, isWatch);
  for (const width of [30, 60, 100]) {
    const lines = statusText(documentOf(world), { ...text, width });
    const rows = lines.slice(2, 10);
    assert.ok(
      rows.every((row) => cells(row) <= width),
      rows.join('\n'),
    );
  }
  const lines = statusText(documentOf(world), text);
  const row = lines.find((line) => line.includes(' templates '));
  assert.match(row ?? '', /· +templates +pending +patterns, security, testing, workflows$/);
  assert.ok(lines.some((line) => /● +foundation +active +0s/.test(line)));
});

test('states are called as other systems call them, and what these call alike is counted together', () => {
  const world = sevenWorkers();
  world.rest(() => null, isWatch);
  const document = documentOf(world);
  for (const [vocabulary, pending, active, counts] of [
    ['czarina', 'WAITING', 'IN_PROGRESS', /: 2 IN_PROGRESS, 5 WAITING \(/],
    ['story', 'Not Started', 'In Progress', /: 2 In Progress, 5 Not Started \(/],
  ] as const) {
    const word = wordsOf(vocabulary);
    const lines = statusText(document, { ...text, width: 120, word }).join('\n');
    assert.match(lines, new RegExp(`templates +${pending} `));
    assert.match(lines, new RegExp(`foundation +${active} `));
    assert.match(lines, counts);
  }
  const story = wordsOf('story');
  assert.deepEqual(
    (['ready', 'starting', 'verifying', 'reviewing', 'complete', 'blocked'] as const).map(story),
    ['Not Started', 'In Progress', 'In Progress', 'Ready for Review', 'Approved', 'Blocked'],
  );
});

test('the counts of the sections sum to the total, and each worker stands in one of them', () => {
  const world = sevenWorkers();
  world.rest(
    (intent) =>
      isWatch(intent) && intent.worker === 'workflows'
        ? endOf(intent, { how: 'exited', code: 1 })
        : null,
    (intent) => isWatch(intent) && intent.worker === 'testing',
  );
  const document = documentOf(world);
  const lines = statusReport(document, text);
  const counts = ['Completed', 'Active', 'Pending', 'Ready', 'Blocked', 'Not completed'].map(
    (name) => {
      const line = lines.find((one) => one.trim().startsWith(`${name}:`));
      return Number(/:\s+(\d+)/.exec(line ?? '')?.[1]);
    },
  );
  assert.equal(
    counts.reduce((a, b) => a + b, 0),
    document.totals.total,
  );
  for (const { id } of document.workers) {
    assert.equal(lines.filter((line) => new RegExp(`^  \\S ${id}$`).test(line)).length, 1, id);
  }
  for (const title of ['OVERVIEW', 'COMPLETED', 'ACTIVE', 'BLOCKED', 'NOT COMPLETED'])
    assert.ok(lines.includes(title));
});

test('tokens are shown with their share of the budget, computed', () => {
  const world = sevenWorkers();
  world.rest(() => null, isWatch);
  report(world, 'foundation', {
    kind: 'usage',
    usage: { input: 1_149_000, output: 1_000, cached: 5, costUsd: 1.5 },
  });
  const document = documentOf(world);
  const foundation = document.workers.find((worker) => worker.id === 'foundation');
  assert.deepEqual(foundation?.tokens, {
    used: 1_150_000,
    budget: 1_200_000,
    forecast: 1_800_000,
    percent: 95.8,
    source: 'reported',
  });
  assert.equal(document.tokens, 1_150_000);
  assert.equal(document.cost_usd, 1.5);
  assert.ok(statusText(document, text).some((line) => line.includes('1,150K 95%')));
  const lines = workerText(workerDocument(world, 'foundation'), text);
  assert.ok(lines.some((line) => line.includes('1,150,000 / 1,200,000 (95%), forecast 1,800,000')));
});

test('the view of a worker has its tasks with ticks and its activity newest first', () => {
  const world = sevenWorkers();
  world.rest(() => null, isWatch);
  report(world, 'foundation', { kind: 'task-start', task: 'Create directories' });
  report(world, 'foundation', { kind: 'task-complete', task: 'Create directories' });
  report(world, 'foundation', { kind: 'checkpoint', name: 'first \u001b[31mred\u0007' });
  const { worker } = workerDocument(world, 'foundation');
  assert.deepEqual(worker.tasks, { completed: 1, total: 2 });
  assert.match(worker.activity[0]?.text ?? '', /^checkpoint/);
  const lines = workerText({ v: 1, worker }, text);
  assert.ok(lines.includes('  ✓ Create directories'));
  assert.ok(lines.includes('  · Extract CODING_STANDARDS.md'));
  assert.ok(lines.some((line) => line.endsWith('checkpoint: first red')));
  assert.ok(lines.some((line) => /^Started: .* \d\d:\d\d:\d\d$/.test(line)));
  assert.ok(lines.indexOf('Latest activity:') > lines.indexOf('Tasks:'));
});

test('every attempt of a worker is told with what became of it', () => {
  const world = sevenWorkers();
  let failed = false;
  world.rest((intent) => {
    if (!isWatch(intent) || intent.worker !== 'foundation' || failed) return null;
    failed = true;
    return endOf(intent, { how: 'exited', code: 9 });
  });
  const [first, second] = attemptsOf(eventsOf(world, 'foundation'));
  assert.equal(first?.n, 1);
  assert.match(first?.outcome ?? '', /ended with/);
  assert.equal(second?.outcome, 'ended well');
  assert.ok((second?.endedAt ?? 0) >= (second?.startedAt ?? Infinity));
});

test('a worker out of sight is shown as unknown', () => {
  const world = sevenWorkers();
  world.rest(() => null, isWatch);
  const document = statusDocument({
    ...options(world),
    liveness: () => ({ ...none(), state: 'unknown' }),
  });
  assert.ok(statusText(document, text).some((line) => line.includes('active (unknown)')));
});

test('progress is never wider or taller than the terminal', () => {
  const world = sevenWorkers();
  world.rest(() => null, isWatch);
  fc.assert(
    fc.property(fc.nat(120), fc.nat(15), fc.string(), (columns, rows, said) => {
      const lines = progressLines({
        run: world.run,
        now: world.now + 5_000,
        columns,
        rows,
        notice: said === '' ? null : said,
        lastWords: new Map([['foundation', `${said}\nüñí 漢字 ${said}`]]),
      });
      assert.ok(lines.length <= rows);
      for (const line of lines) assert.ok(cells(line) <= columns, JSON.stringify(line));
      for (const line of lines) assert.doesNotMatch(line, /\p{Cc}/u);
    }),
  );
});

test('progress shows what lives when there is no room for all', () => {
  const world = sevenWorkers();
  world.rest(() => null, isWatch);
  const lines = progressLines({
    run: world.run,
    now: world.now,
    columns: 100,
    rows: 4,
    notice: null,
    lastWords: new Map([['workflows', 'writing']]),
  });
  assert.equal(lines.length, 4);
  assert.match(lines[0] ?? '', /0\/7 complete {2}2 running/);
  assert.match(lines[1] ?? '', /foundation/);
  assert.match(lines[2] ?? '', /workflows.*writing/);
  assert.match(lines[3] ?? '', /and 5 more workers/);
});

test('a change of state is one quiet line', () => {
  const world = sevenWorkers();
  world.rest();
  const lines = world.log.flatMap(
    (event) => changeLine(event, { run: world.run, offsetMinutes: 0 }) ?? [],
  );
  assert.ok(
    lines.includes('00:00:01 patterns ready → starting (attempt 1, stub)'),
    lines.join('\n'),
  );
  assert.ok(lines.includes('00:00:01 patterns merging → complete'));
  assert.match(lines.at(-1) ?? '', /is complete$/);
});

test('the summary adds up, names each failure with its reason and next command, and the result', () => {
  const world = sevenWorkers();
  world.rest((intent) =>
    isWatch(intent) && intent.worker === 'testing'
      ? endOf(intent, { how: 'exited', code: 1 })
      : null,
  );
  const lines = summaryLines({ state: world.state, run: world.run, now: world.now, width: 100 });
  assert.match(lines[0] ?? '', /failed after/);
  assert.ok(
    lines.some((line) =>
      line.startsWith('7 workers: 4 complete, 2 blocked, 1 failed (57% complete)'),
    ),
    lines.join('\n'),
  );
  assert.ok(lines.some((line) => line.startsWith('✗ testing failed: ')));
  assert.ok(lines.includes('    next: czar retry testing'));
  assert.ok(lines.some((line) => line.includes('blocked: testing did not succeed')));
  assert.ok(
    lines.some((line) => line.includes('4 workers merged into czar/20261121-1-integration')),
  );
  assert.ok(lines.some((line) => line.includes('czar land --partial (into main)')));
});

test('the next command answers what blocks', () => {
  const world = sevenWorkers();
  world.rest(() => null, isWatch);
  report(world, 'workflows', { kind: 'ask', text: 'Which branch?' });
  world.rest();
  assert.equal(world.worker('workflows').state, 'blocked');
  assert.equal(nextCommand(world.run, world.worker('workflows')), 'czar answer workflows TEXT');
  assert.equal(nextCommand(world.run, world.worker('foundation')), null);
});

function sevenWorkers(): CoreWorld {
  const tasks = ['Create directories', 'Extract CODING_STANDARDS.md'];
  return new CoreWorld(
    planOf([
      { id: 'foundation', tasks, budget },
      { id: 'patterns', on: ['foundation'] },
      {
        id: 'qa',
        role: 'qa',
        on: ['foundation', 'patterns', 'security', 'templates', 'testing', 'workflows'],
      },
      { id: 'security', on: ['foundation'] },
      { id: 'templates', on: ['patterns', 'security', 'testing', 'workflows'] },
      { id: 'testing', on: ['foundation'] },
      { id: 'workflows' },
    ]),
  );
}

function isWatch<T extends { readonly kind: string }>(
  intent: T,
): intent is Extract<T, { kind: 'watch' }> {
  return intent.kind === 'watch';
}

function report(world: CoreWorld, worker: string, one: Parameters<typeof reportsOf>[1]): void {
  world.send(
    reportsOf({ worker, attempt: world.worker(worker).attempts, offset: world.log.length }, one),
  );
}

function reportsOf(
  at: { readonly worker: string; readonly attempt: number; readonly offset: number },
  one: Extract<Parameters<CoreWorld['send']>[0], { kind: 'reports' }>['reports'][number],
): Parameters<CoreWorld['send']>[0] {
  return {
    kind: 'reports',
    run: '20261121-1',
    worker: at.worker,
    attempt: at.attempt,
    reports: [one],
    refused: [],
    reportOffset: at.offset,
    outputOffset: 0,
  };
}

function eventsOf(world: CoreWorld, worker: string): typeof world.log {
  return world.log.filter((event) => event.worker === worker);
}

function none(): ReturnType<LivenessOf> {
  return {
    state: 'none',
    observedAt: 1,
    lastOutputAt: null,
    lastReportAt: null,
    lastCommitAt: null,
  };
}

function options(world: CoreWorld): Parameters<typeof statusDocument>[0] {
  return { state: world.state, run: world.run, now: world.now, liveness: none };
}

function documentOf(world: CoreWorld): ReturnType<typeof statusDocument> {
  return statusDocument(options(world));
}

function workerDocument(world: CoreWorld, id: string): ReturnType<typeof workerStatusDocument> {
  return workerStatusDocument(world.worker(id), { ...options(world), attempts: [] });
}

test('the summary and the status of a run fit 60 columns when they are wrapped', () => {
  const world = sevenWorkers();
  world.rest(() => null, isWatch);
  const { state, run, now, liveness } = options(world);
  const at = { state, run, now, width: 60 };
  const text = { name: 'a plan', width: 60, offsetMinutes: 0 };
  const document = statusDocument({ ...at, liveness, loop: 'none' });
  const lines = [...summaryLines(at), ...statusText(document, text)];
  const wrapped = lines.flatMap((line) => wrap(line, 60));
  for (const line of wrapped) assert.ok(cells(line) <= 60, line);
  const words = (all: readonly string[]): string => all.join(' ').replace(/\s+/g, ' ');
  assert.equal(words(wrapped), words(lines));
  assert.ok(lines.includes('No czar is running here: czar run goes on with it.'));
});
