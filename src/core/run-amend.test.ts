import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CoreWorld,
  endOf,
  planOf,
  runId,
  type Script,
  type WorkerSketch,
} from '../../test/support/core-world.ts';
import type { Intent } from './intents.ts';
import type { Plan, Policies } from './plan.ts';

let revisions = 1;

/** A later plan: a sketch with a `mission` has another hash. */
function later(sketches: readonly WorkerSketch[], policies: Partial<Policies> = {}): Plan {
  revisions += 1;
  const hashed = sketches.map((one) =>
    one.mission === undefined ? one : { hash: `h-${one.id}-${one.mission}`, ...one },
  );
  return { ...planOf(hashed, policies), revision: `r${revisions}` };
}

function amend(world: CoreWorld, plan: Plan) {
  return world.ask({ kind: 'amend', run: runId, plan, scope: null });
}

const failsOnce = {
  retry: { maxAttempts: 1, backoff: 'fixed', initialMs: 0, maxMs: 0, from: 'clean' },
} as const;

describe('amending the plan of a run', () => {
  test('a worker that joins a live run starts with the rest', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    world.perform(world.intent('prepare-run') ?? assert.fail());
    assert.equal(amend(world, later([{ id: 'a' }, { id: 'b', on: ['a'] }])).ok, true);
    assert.equal(world.worker('b').state, 'pending');
    world.rest();
    assert.deepEqual([world.worker('b').state, world.run.state], ['complete', 'complete']);
  });

  test('a failed worker is edited and retried, also when the run was over', () => {
    const world = new CoreWorld(planOf([{ id: 'a', ...failsOnce }]));
    world.rest((intent) =>
      intent.kind === 'watch' ? endOf(intent, { how: 'exited', code: 1 }) : null,
    );
    assert.equal(world.run.state, 'failed');
    assert.equal(amend(world, later([{ id: 'a', mission: 'easier', ...failsOnce }])).ok, true);
    assert.equal(world.worker('a').state, 'failed');
    world.ask({ kind: 'retry', run: runId, worker: 'a', note: null, clean: false });
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('one that asked, and that an amendment lets wait for another, waits for it once it is answered', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }]));
    const asks: Script = (intent, w) => {
      if (intent.kind !== 'watch' || intent.worker !== 'b') return null;
      w.send({
        kind: 'reports',
        run: runId,
        worker: 'b',
        attempt: 1,
        refused: [],
        reportOffset: 10,
        outputOffset: 0,
        reports: [{ kind: 'ask', text: 'which?' }],
      });
      return endOf(intent, { how: 'exited', code: 0 });
    };
    world.rest(asks, (intent) => intent.kind === 'watch' && intent.worker === 'a');
    assert.equal(world.worker('b').block?.kind, 'question');
    const plan = later([{ id: 'a' }, { id: 'b', on: ['a'], mission: 'after a' }]);
    assert.equal(amend(world, plan).ok, true);
    world.ask({ kind: 'answer', run: runId, worker: 'b', text: 'that one' });
    assert.equal(world.worker('b').state, 'pending');
    world.rest();
    assert.equal(world.run.state, 'complete');
    assert.deepEqual(
      world.log.filter(({ type }) => type === 'worker.complete').map(({ worker }) => worker),
      ['a', 'b'],
    );
  });

  test('workers whose claims an amendment lets overlap take turns, and the loop lives', () => {
    const owners = { a: ['x/**'], b: ['y/**'], c: ['z/**'] };
    const failing: Script = (intent) =>
      intent.kind === 'watch' && intent.attempt === 1 && intent.worker !== 'c'
        ? endOf(intent, { how: 'exited', code: 1 })
        : null;
    const sketch = (id: 'a' | 'b' | 'c', more: Partial<WorkerSketch> = {}) => ({
      id,
      owns: owners[id],
      ...more,
    });
    const world = new CoreWorld(planOf([sketch('a'), sketch('b'), sketch('c')]));
    const isHeld = ({ kind, ...of }: Intent): boolean =>
      kind === 'watch' && 'worker' in of && (of.worker === 'c' || world.worker('a').failures > 0);
    for (let step = 0; step < 100; step += 1) {
      const next = world
        .intents()
        .find((intent) => !isHeld(intent) || world.worker('b').failures === 0);
      if (next === undefined || (world.worker('a').failures > 0 && world.worker('b').failures > 0))
        break;
      if ('worker' in next && next.worker === 'c' && next.kind === 'watch') continue;
      world.perform(next, failing);
    }
    amend(
      world,
      later([sketch('a', { owns: ['y/**'], mission: 'other' }), sketch('b'), sketch('c')]),
    );
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('one that failed and was taken out stays out when what failed is retried', () => {
    const world = new CoreWorld(
      planOf([
        { id: 'a', ...failsOnce },
        { id: 'b', ...failsOnce },
      ]),
    );
    world.rest((intent) =>
      intent.kind === 'watch' ? endOf(intent, { how: 'exited', code: 1 }) : null,
    );
    amend(world, later([{ id: 'a', ...failsOnce }]));
    assert.equal(world.ask({ kind: 'retry-failed', run: runId }).ok, true);
    world.rest();
    assert.deepEqual([world.worker('a').state, world.worker('b').state], ['complete', 'failed']);
    assert.equal(world.run.state, 'complete');
  });

  test('what is under way or complete is refused by name, and nothing changes', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }, { id: 'c', on: ['b'] }]));
    world.rest(undefined, (intent) => intent.kind === 'watch' && intent.worker === 'a');
    const before = world.state.seq;
    for (const [plan, name] of [
      [later([{ id: 'a', mission: 'other' }, { id: 'b' }, { id: 'c', on: ['b'] }]), /a is active/],
      [later([{ id: 'a' }, { id: 'b', mission: 'other' }, { id: 'c' }]), /b is complete/],
      [later([{ id: 'b' }, { id: 'c', on: ['b'] }]), /a is active/],
      [later([{ id: 'a' }, { id: 'b' }, { id: 'c' }], { isolation: 'worktree' }), /isolated/],
    ] as const) {
      const answer = amend(world, plan);
      assert.ok(!answer.ok);
      assert.match(answer.rejection.what, name);
    }
    assert.equal(world.state.seq, before);
  });

  test('a worker that is taken out is cancelled with what it kept, and counts no more; put back, it starts again', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b', on: ['a'] }]));
    world.perform(world.intent('prepare-run') ?? assert.fail());
    assert.equal(amend(world, later([{ id: 'a' }])).ok, true);
    assert.equal(world.worker('b').state, 'cancelled');
    const again = { kind: 'retry', run: runId, worker: 'b', note: null, clean: false } as const;
    const refused = world.ask(again);
    assert.ok(!refused.ok && /not in the plan any more/.test(refused.rejection.what));
    assert.equal(amend(world, later([{ id: 'a' }, { id: 'b', on: ['a'] }])).ok, true);
    assert.equal(world.worker('b').state, 'pending');
    assert.equal(amend(world, later([{ id: 'a' }])).ok, true);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('a ready worker with a new dependency waits for it, a blocked one without its failed dependency starts', () => {
    const world = new CoreWorld(
      planOf([{ id: 'a', ...failsOnce }, { id: 'b', on: ['a'] }, { id: 'c' }], { maxParallel: 1 }),
    );
    const end =
      (code: number): Script =>
      (intent) =>
        intent.kind === 'watch' && intent.worker === 'a'
          ? endOf(intent, { how: 'exited', code })
          : null;
    world.rest(end(1), (intent) => intent.kind === 'prepare-tree' && intent.worker === 'c');
    assert.deepEqual([world.worker('a').state, world.worker('b').blockedBy], ['failed', 'a']);
    assert.equal(
      amend(world, later([{ id: 'a', ...failsOnce }, { id: 'b', mission: 'alone' }, { id: 'c' }]))
        .ok,
      true,
    );
    assert.equal(world.worker('b').state, 'ready', 'c has the slot');
    world.rest();
    assert.equal(world.worker('b').state, 'complete');
    assert.equal(world.run.state, 'failed');
  });

  test('the same plan again is no event, and a cancelled run keeps its plan', () => {
    const plan = planOf([{ id: 'a' }]);
    const world = new CoreWorld(plan);
    const before = world.state.seq;
    assert.equal(amend(world, { ...plan }).ok, true);
    assert.equal(world.state.seq, before);
    world.ask({ kind: 'cancel', run: runId, worker: null });
    world.rest();
    assert.equal(world.run.state, 'cancelled');
    assert.equal(amend(world, later([{ id: 'a' }, { id: 'b' }])).ok, false);
  });

  test('a merge that waits for a person and is defined anew meanwhile is judged anew, not merged by old verdicts', () => {
    const first = planOf([{ id: 'a' }], { checks: ['test'] });
    const world = new CoreWorld(first);
    const broken: Script = (intent) =>
      intent.kind === 'check'
        ? {
            kind: 'checked',
            run: runId,
            subject: intent.subject,
            worker: intent.worker,
            verdicts: intent.gates.map((gate) => ({
              gate: gate.gate,
              command: gate.command,
              setup: gate.setup,
              result: 'inconclusive',
              tree: intent.tree,
              findings: [],
              log: null,
              durationMs: 1,
            })),
          }
        : null;
    world.rest(broken);
    assert.deepEqual(
      [world.worker('a').state, world.worker('a').block?.step],
      ['blocked', 'merging'],
    );
    const workers = first.workers.map((one) => ({
      ...one,
      deliverables: ['b.txt'],
      hash: 'h-a-2',
    }));
    const plan = { ...first, revision: 'r2', workers };
    assert.ok(world.ask({ kind: 'amend', run: runId, plan, scope: null }).ok);
    const before = world.log.length;
    assert.ok(world.ask({ kind: 'unblock', run: runId, worker: 'a', note: null }).ok);
    assert.equal(world.worker('a').state, 'verifying');
    world.rest();
    assert.equal(world.worker('a').state, 'complete');
    const judged = world.log
      .slice(before)
      .flatMap((one) =>
        one.type === 'gate.passed' && 'tip' in one.data.verdict ? [one.data.verdict] : [],
      );
    assert.deepEqual(
      judged.map(({ definition }) => definition),
      ['h-a-2'],
    );
  });
});
