import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreWorld, endOf, planOf, runId, type Script } from '../../test/support/core-world.ts';
import { inboxChangeSchema, inboxSchema } from './inbox-schema.ts';
import { inboxChangeLine, inboxChanges, inboxEntries, inboxText } from './inbox.ts';

const says =
  (kind: 'ask' | 'blocked'): Script =>
  (intent, world) => {
    if (intent.kind !== 'watch') return null;
    const { run, worker, attempt } = intent;
    if (world.worker(worker).attempt?.stopWord !== null)
      return endOf(intent, { how: 'exited', code: 0 });
    return {
      kind: 'reports',
      run,
      worker,
      attempt,
      reports: [{ kind, text: `${worker}?` }],
      refused: [],
      reportOffset: 9,
      outputOffset: 0,
    };
  };

/** A world in which one worker waits for every kind of thing that the core can wait for by now. */
function waiting(): CoreWorld {
  const once = { maxAttempts: 1, backoff: 'fixed', initialMs: 0, maxMs: 0, from: 'clean' } as const;
  const world = new CoreWorld(
    planOf(
      [
        { id: 'asks', unanswered: { instead: 'skip', afterMs: 3_600_000 } },
        { id: 'stuck' },
        { id: 'clashes' },
        { id: 'strays', owns: ['x'] },
        { id: 'guards' },
        { id: 'red', verify: ['red'] },
        { id: 'odd', verify: ['odd'] },
        { id: 'gone', retry: once },
        {
          id: 'launch',
          approve: true,
          role: 'Writer',
          owns: ['docs/**'],
          references: ['src/**'],
          on: [],
          budget: {
            tokens: 10_000,
            costUsd: null,
            realityMultiplier: 1.5,
            limit: null,
            onExceeded: 'block',
          },
        },
        { id: 'not', approve: true },
        { id: 'held' },
        { id: 'behind', on: ['asks'] },
      ],
      { maxParallel: 20 },
    ),
  );
  world.ask({ kind: 'pause', run: runId, worker: 'held' });
  world.rest(
    (intent, at) => {
      const worker = 'worker' in intent ? intent.worker : null;
      if (worker === 'asks') return says('ask')(intent, at);
      if (worker === 'stuck') return says('blocked')(intent, at);
      if (worker === 'gone' && intent.kind === 'watch')
        return endOf(intent, { how: 'lost', why: 'the machine went' });
      if (intent.kind === 'judge' && (worker === 'strays' || worker === 'guards')) {
        const gate = worker === 'strays' ? ('ownership' as const) : ('protect' as const);
        const tip = intent.key.split(':')[3] ?? '';
        const verdict = {
          gate,
          result: 'fail',
          tip,
          patch: 'p',
          definition: 'h',
          findings: [`${worker}.txt is not`],
          files: [`${worker}.txt`],
        } as const;
        return { kind: 'judged', run: runId, worker: intent.worker, verdicts: [verdict] };
      }
      if (intent.kind === 'check' && (worker === 'red' || worker === 'odd')) {
        const result = worker === 'red' ? 'fail' : 'inconclusive';
        const verdicts = intent.gates.map(
          (gate) =>
            ({
              gate: gate.gate,
              result,
              tree: intent.tree,
              command: gate.command,
              setup: [],
              findings: ['line 1'],
              log: null,
              durationMs: 1,
            }) as const,
        );
        return { kind: 'checked', run: runId, subject: intent.subject, worker, verdicts };
      }
      if (intent.kind === 'build-merge' && worker === 'clashes')
        return {
          kind: 'merge-conflict',
          run: runId,
          worker,
          base: intent.base,
          tip: intent.tip,
          files: ['f'],
          messages: [],
        };
      return null;
    },
    () => false,
  );
  world.ask({ kind: 'deny', run: runId, workers: ['not'], why: null });
  return world;
}

const entriesOf = (world: CoreWorld): ReturnType<typeof inboxEntries> =>
  inboxEntries({ state: world.state, run: null, now: world.now });

test('the inbox has what waits for a person and nothing else, each with the commands that settle it', () => {
  const world = waiting();
  const entries = entriesOf(world);
  inboxSchema.parse({ v: 1, inbox: entries });
  const found = Object.fromEntries(
    entries.map((entry) => [entry.worker, [entry.kind, ...entry.commands]]),
  );
  assert.deepEqual(found, {
    stuck: ['blocker', 'czar answer stuck TEXT', 'czar unblock stuck'],
    clashes: [
      'conflict',
      `cd /w/clashes && git merge refs/czar/integration; then czar submit clashes`,
      'czar retry clashes',
    ],
    strays: ['ownership', 'czar retry strays -m TEXT', 'czar submit strays'],
    guards: ['protect', 'czar approve guards --path guards.txt'],
    red: ['gate', 'czar retry red -m TEXT', 'czar submit red'],
    odd: ['inconclusive', 'czar unblock odd'],
    gone: ['lost', 'czar unblock gone'],
    launch: ['approval', 'czar approve launch', 'czar deny launch'],
    not: ['denied', 'czar approve not', 'czar skip not'],
    held: ['paused', 'czar resume held'],
  });
});

test('an entry has its age, and what happens without an answer', () => {
  const world = new CoreWorld(
    planOf([{ id: 'a', unanswered: { instead: 'fail', afterMs: 3_600_000 } }]),
  );
  world.until('watch', 'a');
  for (let step = 0; step < 4; step += 1) {
    const [intent] = world.intents();
    if (intent !== undefined) world.perform(intent, says('ask'));
  }
  world.now += 60_000;
  const [entry, ...more] = entriesOf(world);
  assert.deepEqual(more, []);
  assert.deepEqual(
    [entry?.age_ms, entry?.if_unanswered, entry?.after],
    [60_000, 'fail', 3_600_000],
  );
  assert.match(
    inboxText([entry ?? assert.fail()]).join('\n'),
    /^a: question, for 1m 00s; in 59m 00s: fail\n {4}a\?\n {4}czar answer a TEXT$/,
  );
  assert.deepEqual(inboxText([]), ['Nothing waits for you.']);
  const [own = assert.fail(), other] = [entry, { ...(entry ?? assert.fail()), run: '20261130-9' }];
  const heads = inboxText([own, other]).filter((line) => /^\S/.test(line));
  assert.deepEqual(
    heads.map((line) => line.replace(/:.*/, '')),
    [`${runId}/${own.worker}`, `20261130-9/${own.worker}`],
    'with several runs the name alone says too little',
  );
});

test('the question about a launch names who takes the place of an agent that is not installed, without its model', () => {
  const worker = { id: 'a', approve: true, model: 'big', fallback: ['spare'] } as const;
  const world = new CoreWorld(planOf([worker]), undefined, { missing: ['stub'] });
  world.rest();
  const [entry] = inboxEntries({
    state: world.state,
    run: runId,
    now: world.now,
    liveness: () => {
      throw new Error('nothing runs');
    },
  });
  assert.deepEqual([entry?.launch?.agent, entry?.launch?.model], ['spare', null]);
});

test('the question about a launch shows role, agent, budget, what it owns and what it will see', () => {
  const entry = entriesOf(waiting()).find(({ kind }) => kind === 'approval') ?? assert.fail();
  assert.deepEqual(entry.launch, {
    attempt: 1,
    role: 'Writer',
    agent: 'stub',
    model: null,
    budget: { tokens: 10_000, limit: 15_000, cost_usd: null },
    owns: ['docs/**'],
    dependencies: [],
    references: ['src/**'],
  });
  const text = inboxText([entry]).join('\n');
  for (const part of [
    /Writer; agent stub/,
    /10,000 tokens, limit 15,000/,
    /may change: docs\/\*\*/,
    /sees: src\/\*\*/,
  ])
    assert.match(text, part);
});

test('a paused run is one entry, and what was paused with it none', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }]));
  world.until('watch', 'a');
  world.ask({ kind: 'pause', run: runId, worker: null });
  world.rest();
  assert.deepEqual(
    entriesOf(world).map(({ worker, kind, commands }) => [worker, kind, commands]),
    [[null, 'paused', ['czar resume']]],
  );
  world.ask({ kind: 'resume', run: runId, worker: null });
  assert.deepEqual(entriesOf(world), []);
});

test('changes name what is new and what is settled, each once', () => {
  const world = waiting();
  const before = entriesOf(world);
  assert.deepEqual(inboxChanges(before, entriesOf(world), world.now), []);
  world.ask({ kind: 'approve', run: runId, workers: ['launch'] });
  world.ask({ kind: 'retry', run: runId, worker: 'not', note: null, clean: false });
  const changes = inboxChanges(before, entriesOf(world), Date.UTC(2026, 0, 1, 10, 15, 4));
  for (const change of changes) inboxChangeSchema.parse(change);
  assert.deepEqual(
    changes.map((change) => inboxChangeLine(change, 0)),
    [
      '10:15:04 launch settled: approval',
      '10:15:04 not settled: denied',
      '10:15:04 not waits: approval: may attempt 1 start? (czar approve not, or czar deny not)',
    ],
  );
});
