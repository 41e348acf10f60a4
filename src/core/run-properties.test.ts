import assert from 'node:assert/strict';
import { describeRestless } from './restless.ts';
import { describeIndex } from './run-index.ts';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CoreWorld,
  endOf,
  planOf,
  runId,
  success,
  treeVerdict,
  type WorkerSketch,
} from '../../test/support/core-world.ts';
import type { Outcome, Request } from './commands.ts';
import { edgeState } from './edges.ts';
import { waitingFor } from './schedule/grant.ts';
import type { Intent } from './intents.ts';
import { isFinal, isLive } from './lifecycle.ts';
import { isOver, waitsForPerson } from './run-outcome.ts';
import { definitionOf } from './state.ts';
import { mergeGates, openGates } from './tree-gates.ts';
import { why } from './why.ts';

const ids = ['a', 'b', 'c', 'd', 'e'];

const sketch = (index: number): fc.Arbitrary<WorkerSketch> =>
  fc.record({
    id: fc.constant(ids[index] ?? ''),
    on: fc.subarray(ids.slice(0, index)).chain((deps) =>
      fc.tuple(
        ...deps.map((on) =>
          fc
            .record({
              on: fc.constant(on),
              kind: fc.constantFrom('output' as const, 'sequential' as const),
              allowSkipped: fc.boolean(),
            })
            .chain((edge) =>
              fc.constantFrom('complete' as const, 'verified' as const).map((requires) => ({
                ...edge,
                requires: edge.kind === 'output' ? ('complete' as const) : requires,
              })),
            ),
        ),
      ),
    ),
    owns: fc.constantFrom(null, ['x/**'], ['y/**']),
    verify: fc.constantFrom([], ['v']),
    priority: fc.constantFrom('critical' as const, 'normal' as const, 'low' as const),
    timeoutMs: fc.constantFrom(null, 60_000),
  });

const plan = fc
  .tuple(
    fc.tuple(...ids.map((_id, index) => sketch(index))),
    fc.record({
      maxParallel: fc.integer({ min: 1, max: 3 }),
      maxParallelChecks: fc.integer({ min: 1, max: 2 }),
      barrier: fc.constantFrom('none' as const, 'wave' as const),
      checks: fc.constantFrom([], ['all']),
      mergeQueue: fc.constantFrom(undefined, 'batch' as const, 'speculative' as const),
    }),
  )
  .map(([workers, { mergeQueue, ...policies }]) =>
    planOf(workers, mergeQueue === undefined ? policies : { ...policies, mergeQueue }),
  );

const step = fc.record({
  pick: fc.nat(),
  fate: fc.nat(11),
  request: fc.nat(30),
  worker: fc.constantFrom(...ids),
});

test('whatever effects do and people ask, the invariants hold and nothing throws', () => {
  fc.assert(
    fc.property(plan, fc.array(step, { maxLength: 120 }), (given, steps) => {
      const world = new CoreWorld(given);
      for (const { pick, fate, request, worker } of steps) {
        const intents = world.intents();
        const intent = intents[pick % Math.max(1, intents.length)];
        if (intent !== undefined) world.send(fated(intent, fate));
        const asked = requestOf(request, worker);
        if (asked !== null) world.ask(asked);
        if (fate === 7) world.now += 20_000;
        world.send({ kind: 'tick' });
        check(world);
      }
      world.rest();
      check(world);
      assertRest(world);
    }),
    { numRuns: 400 },
  );
});

/** L2: when effects succeed, every run ends or says for whom it waits. */
function assertRest(world: CoreWorld): void {
  const workers = [...world.run.workers.values()];
  if (world.run.state === 'waiting')
    assert.ok(
      workers.some((worker) => waitsForPerson(world.run, worker)),
      'a waiting run waits for a person',
    );
  else
    assert.ok(
      workers.every(isOver),
      `a run at rest is over or waits: ${world.run.state} ${workers.map((one) => `${one.id}=${one.state}`).join(' ')}`,
    );
}

function check(world: CoreWorld): void {
  const { run } = world;
  const workers = [...run.workers.values()];
  const live = workers.filter((worker) => isLive(worker.state)).length;
  assert.ok(live <= run.plan.policies.maxParallel, 'max_parallel');
  const bases = workers.flatMap((worker) => worker.merge?.base ?? []);
  assert.equal(new Set(bases).size, bases.length, 'A5: the merges are one chain');
  const keys = world.intents().map((intent) => intent.key);
  assert.equal(new Set(keys).size, keys.length, 'A3: intents have keys of their own');
  const { kept, fresh } = describeIndex(run);
  assert.deepEqual(kept, fresh, 'the index of the workers is what a fresh one would be');
  const restless = describeRestless(world.state);
  assert.deepEqual(
    restless.kept,
    restless.fresh,
    'what is not at rest is what would be found anew',
  );
  for (const worker of workers) {
    const sentence = why(world.state, run, worker, world.now);
    assert.ok(
      sentence.startsWith(worker.id) &&
        sentence.length > worker.id.length + 5 &&
        !sentence.includes('undefined'),
      sentence,
    );
    if (worker.blockedBy !== null && worker.state === 'blocked') {
      assert.ok(sentence.includes(worker.blockedBy));
      const root = run.workers.get(worker.blockedBy);
      assert.ok(
        root?.state === 'failed' || root?.state === 'cancelled',
        `the root ${worker.blockedBy} is ${root?.state ?? 'gone'}`,
      );
    }
    if (worker.state === 'pending') {
      const open = definitionOf(run, worker.id).edges.filter(
        (edge) => edgeState(run, edge).kind !== 'satisfied',
      );
      assert.ok(
        open.every((edge) => sentence.includes(edge.on)),
        sentence,
      );
    }
    if (worker.state === 'ready' && run.tip !== null && run.state === 'running') {
      const waiting = waitingFor(world.state, run, worker, world.now);
      assert.ok(
        waiting !== null || run.cancelling,
        `${worker.id} is ready and nothing keeps it from starting`,
      );
      if (waiting?.kind === 'ownership') assert.ok(run.workers.get(waiting.worker)?.claims);
    }
  }
  checkLog(world);
}

/** S1 and S4 on the log's newest events. */
function checkLog(world: CoreWorld): void {
  const last = world.log.at(-1);
  for (const event of world.log.slice(-12)) {
    if (event.type === 'worker.started')
      assert.equal(event.data.from, 'ready', 'S1: only ready creates an attempt');
    if (event.type !== 'worker.merged' || event.worker === undefined) continue;
    const gates = mergeGates(
      {
        ...world.run,
        mergedOrder: world.run.mergedOrder.slice(0, world.run.mergedOrder.indexOf(event.worker)),
      },
      event.worker,
    );
    assert.equal(
      openGates(world.run, gates, (event.data.tested ?? event.data).tree).length,
      0,
      'S4: no merge without every verdict',
    );
  }
  assert.equal(last?.seq, world.log.length, 'S10: the sequence has no gaps');
  assert.ok(
    [...world.run.workers.values()].every((worker) => !isFinal(worker.state) || !worker.claims),
  );
}

function fated(intent: Intent, fate: number): Outcome {
  const good = success(intent);
  const { run } = intent;
  if (fate === 0 && intent.kind !== 'publish') {
    const worker = 'worker' in intent ? intent.worker : null;
    return {
      kind: 'effect-failed',
      run,
      worker,
      attempt: 'attempt' in intent ? intent.attempt : null,
      key: intent.key,
      effect: intent.kind,
      error: 'broken',
    };
  }
  if (good.kind === 'attempt-ended' && intent.kind === 'watch') {
    if (fate === 1) return endOf(intent, { how: 'exited', code: 1 });
    if (fate === 2) return endOf(intent, { how: 'lost', why: 'gone' });
    if (fate === 3)
      return {
        kind: 'reports',
        run,
        worker: intent.worker,
        attempt: intent.attempt,
        reports: [{ kind: 'ask', text: 'how?' }],
        refused: [],
        reportOffset: 5,
        outputOffset: 5,
      };
  }
  if (intent.kind === 'check' && fate < 3) {
    return {
      kind: 'checked',
      run,
      subject: intent.subject,
      worker: intent.worker,
      verdicts: intent.gates.map((gate) =>
        treeVerdict(intent.tree, gate, fate === 1 ? 'fail' : 'inconclusive'),
      ),
    };
  }
  if (intent.kind === 'build-merge' && fate < 3) {
    return {
      kind: 'merge-conflict',
      run,
      worker: intent.worker,
      base: intent.base,
      tip: intent.tip,
      files: ['f'],
      messages: [],
    };
  }
  if (intent.kind === 'commit-merge' && fate === 1)
    return { kind: 'merge-lost', run, worker: intent.worker, found: 'elsewhere' };
  if (intent.kind === 'launch' && fate === 1)
    return {
      kind: 'launch-failed',
      run,
      worker: intent.worker,
      attempt: intent.attempt,
      error: 'missing',
      final: true,
    };
  if (intent.kind === 'setup' && fate === 1)
    return {
      kind: 'setup-failed',
      run,
      worker: intent.worker,
      attempt: intent.attempt,
      findings: ['no'],
    };
  return good;
}

function requestOf(n: number, worker: string): Request | null {
  const place = { run: runId, worker };
  switch (n) {
    case 0:
      return { kind: 'retry', ...place, note: null, clean: false };
    case 1:
      return { kind: 'submit', ...place, tree: { exists: true, unfinished: null } };
    case 2:
      return { kind: 'skip', ...place, satisfy: false };
    case 3:
      return { kind: 'cancel', ...place };
    case 4:
      return { kind: 'answer', ...place, text: 'so' };
    case 5:
      return { kind: 'unblock', ...place, note: null };
    case 6:
      return { kind: 'approve-path', ...place, path: `${worker}.txt` };
    case 7:
      return { kind: 'retry-failed', run: runId };
    case 8:
      return {
        kind: 'land',
        run: runId,
        target: 'main',
        mode: 'merge',
        partial: true,
        onto: 'base',
      };
    default:
      return null;
  }
}
