import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreWorld, endOf, planOf, runId } from '../../test/support/core-world.ts';
import { waitingFor } from './schedule/grant.ts';
import { why } from './why.ts';

const approve = true as const;
const noPause = {
  maxAttempts: 2,
  backoff: 'fixed',
  initialMs: 60_000,
  maxMs: 60_000,
  from: 'clean',
} as const;

const said = (
  kind: 'approve' | 'deny',
  ...workers: readonly string[]
): Parameters<CoreWorld['ask']>[0] => {
  const named = workers.length === 0 ? null : workers;
  return kind === 'approve'
    ? { kind, run: runId, workers: named }
    : { kind, run: runId, workers: named, why: 'too dear' };
};

const states = (world: CoreWorld): readonly string[] =>
  [...world.run.workers.values()].map((worker) => worker.state);

const asked = (world: CoreWorld): readonly (readonly [string | undefined, number])[] =>
  world.log.flatMap((event) =>
    event.type === 'approval.requested' ? [[event.worker, event.data.attempt] as const] : [],
  );

describe('a launch that must be approved', () => {
  test('is asked about once everything else of its own is there, and starts when a person says so', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b', approve, on: ['a'] }]));
    world.rest(undefined, (intent) => intent.kind === 'watch');
    assert.deepEqual(asked(world), [], 'b waits for a');
    world.rest();
    assert.deepEqual(asked(world), [['b', 1]]);
    assert.deepEqual(states(world), ['complete', 'ready']);
    assert.equal(world.run.state, 'waiting');
    assert.deepEqual(waitingFor(world.state, world.run, world.worker('b'), world.now), {
      kind: 'approval',
    });
    assert.match(
      why(world.state, world.run, world.worker('b'), world.now),
      /waits for a person to approve/,
    );
    assert.equal(world.code(said('approve', 'b')), 0);
    assert.equal(world.worker('b').state, 'starting');
    world.rest();
    assert.equal(world.run.state, 'complete');
    assert.deepEqual(asked(world), [['b', 1]]);
  });

  test('is asked about after its inputs were looked at and its backoff is over, and again for each attempt', () => {
    const inputs = [{ on: 'a', inputs: ['a.txt'] }];
    const world = new CoreWorld(
      planOf([{ id: 'a' }, { id: 'b', approve, on: inputs, retry: noPause }]),
    );
    world.rest(undefined, (intent) => intent.kind === 'check-inputs');
    assert.deepEqual(asked(world), []);
    world.rest();
    assert.deepEqual(asked(world), [['b', 1]]);
    world.ask(said('approve', 'b'));
    world.rest((intent) =>
      intent.kind === 'watch' ? endOf(intent, { how: 'exited', code: 1 }) : null,
    );
    const ready = world.log.findLast((event) => event.type === 'worker.ready');
    const again = world.log.findLast((event) => event.type === 'approval.requested');
    assert.ok(ready !== undefined && again !== undefined && again.at >= ready.at + 60_000);
    assert.deepEqual(asked(world), [
      ['b', 1],
      ['b', 2],
    ]);
    assert.equal(world.worker('b').attempts, 1);
    world.ask(said('approve', 'b'));
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('waits for its slot when it is approved, and holds neither a slot nor a claim before', () => {
    const world = new CoreWorld(
      planOf(
        [
          { id: 'a', approve, owns: ['x'] },
          { id: 'b', owns: ['x'] },
        ],
        { maxParallel: 1 },
      ),
    );
    world.until('watch', 'b');
    assert.equal(world.code(said('approve', 'a')), 0);
    assert.equal(world.worker('a').state, 'ready');
    assert.deepEqual(waitingFor(world.state, world.run, world.worker('a'), world.now), {
      kind: 'ownership',
      worker: 'b',
    });
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('gives up the claim of the attempt before while a person is asked about the next', () => {
    const retry = { ...noPause, initialMs: 0, maxMs: 0 };
    const world = new CoreWorld(
      planOf(
        [
          { id: 'a', approve, owns: ['x'], retry },
          { id: 'b', owns: ['x'], on: [] },
        ],
        { maxParallel: 1 },
      ),
    );
    world.ask(said('approve'));
    world.rest((intent) =>
      intent.kind === 'watch' && intent.worker === 'a'
        ? endOf(intent, { how: 'exited', code: 1 })
        : null,
    );
    assert.deepEqual(states(world), ['ready', 'complete']);
  });

  test('that is denied blocks the worker and nobody else, and a later approval undoes it', () => {
    const world = new CoreWorld(
      planOf([{ id: 'a', approve }, { id: 'b', on: ['a'] }, { id: 'c' }]),
    );
    world.rest();
    assert.equal(world.code(said('deny', 'a')), 0);
    assert.deepEqual(states(world), ['blocked', 'pending', 'complete']);
    const { block } = world.worker('a');
    assert.deepEqual([block?.kind, block?.text], ['denied', 'its launch was denied: too dear']);
    assert.equal(world.run.state, 'waiting');
    assert.equal(world.code({ kind: 'unblock', run: runId, worker: 'a', note: null }), 4);
    assert.equal(world.code(said('approve')), 4, 'all that ask: nobody does');
    assert.equal(world.code(said('approve', 'a')), 0);
    assert.equal(world.worker('a').state, 'starting');
    assert.deepEqual(world.worker('a').notes, [], 'its agent need not know');
    world.rest();
    assert.equal(world.run.state, 'complete');
    assert.deepEqual(asked(world), [['a', 1]]);
  });

  test('that was denied is asked about anew when the worker is retried, and may be skipped or cancelled', () => {
    const world = new CoreWorld(planOf(['a', 'b', 'c'].map((id) => ({ id, approve }))));
    world.rest();
    world.ask(said('deny'));
    assert.deepEqual(states(world), ['blocked', 'blocked', 'blocked']);
    world.ask({ kind: 'retry', run: runId, worker: 'a', note: null, clean: false });
    world.ask({ kind: 'skip', run: runId, worker: 'b', satisfy: false });
    world.ask({ kind: 'cancel', run: runId, worker: 'c' });
    assert.deepEqual(states(world), ['ready', 'skipped', 'cancelled']);
    assert.equal(asked(world).length, 4);
    world.ask(said('approve'));
    world.rest();
    assert.equal(world.worker('a').state, 'complete');
  });

  test('counts for one definition: when the plan is amended while it waits for its slot, it is asked anew', () => {
    const plan = planOf(
      [
        { id: 'a', approve },
        { id: 'b', priority: 'critical' },
      ],
      { maxParallel: 1 },
    );
    const world = new CoreWorld(plan);
    world.until('watch', 'b');
    assert.equal(world.code(said('approve', 'a')), 0);
    const workers = plan.workers.map((one) => (one.id === 'a' ? { ...one, hash: 'h-2' } : one));
    const amended = { ...plan, revision: 'r2', workers };
    assert.equal(world.code({ kind: 'amend', run: runId, plan: amended, scope: null }), 0);
    world.rest();
    assert.deepEqual(states(world), ['ready', 'complete']);
    assert.deepEqual(asked(world), [
      ['a', 1],
      ['a', 1],
    ]);
    world.ask(said('approve', 'a'));
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('is not asked about while its run is paused or cancelled, nor while the worker is paused', () => {
    const world = new CoreWorld(
      planOf([
        { id: 'a', approve },
        { id: 'b', approve },
      ]),
    );
    world.ask({ kind: 'pause', run: runId, worker: 'b' });
    world.rest();
    assert.deepEqual(asked(world), [['a', 1]]);
    world.ask({ kind: 'pause', run: runId, worker: null });
    world.ask({ kind: 'resume', run: runId, worker: 'b' });
    assert.deepEqual(asked(world), [['a', 1]]);
    assert.equal(world.code(said('approve', 'a')), 0);
    assert.equal(world.worker('a').state, 'ready', 'a paused run starts nothing');
    world.ask({ kind: 'resume', run: runId, worker: null });
    assert.equal(world.worker('a').state, 'starting');
    assert.deepEqual(asked(world), [
      ['a', 1],
      ['b', 1],
    ]);
    world.ask({ kind: 'cancel', run: runId, worker: null });
    assert.equal(world.code(said('approve', 'b')), 4);
  });
});

describe('approve and deny', () => {
  test('are about all that they name or, when one is refused, about none', () => {
    const world = new CoreWorld(
      planOf([
        { id: 'a', approve },
        { id: 'b', approve },
        { id: 'c', on: ['a'] },
      ]),
    );
    world.rest();
    const { seq } = world.state;
    assert.equal(world.code(said('approve', 'a', 'c')), 4);
    assert.equal(world.code(said('deny', 'a', 'nobody')), 3);
    assert.equal(world.state.seq, seq);
    assert.equal(world.code(said('approve', 'a', 'a', 'b')), 0);
    assert.equal(world.log.filter((event) => event.type === 'approval.granted').length, 2);
    assert.equal(world.code(said('approve')), 4);
    assert.equal(world.code(said('deny')), 4);
  });

  test('fault 81: of approvals and a denial of the same launch exactly one counts, and each is taken once', () => {
    const orders = [
      ['approve', 'approve', 'deny'],
      ['approve', 'deny', 'approve'],
      ['deny', 'approve', 'approve'],
      ['deny', 'deny', 'approve'],
      ['deny', 'approve', 'deny'],
    ] as const;
    for (const slots of [0, 1]) {
      for (const order of orders) {
        // Without a slot the launch waits after its approval, and a denial still reaches it.
        const plan = planOf(
          [
            { id: 'a', approve },
            { id: 'b', priority: 'critical' },
          ],
          { maxParallel: 1 + slots },
        );
        const world = new CoreWorld(plan);
        world.until('watch', 'b');
        const codes = order.map((kind) => world.code(said(kind, 'a')));
        const started = world.log.filter(
          (event) => event.type === 'worker.started' && event.worker === 'a',
        );
        const { state } = world.worker('a');
        const where = `${order.join()} with ${slots}: ${codes.join()} ${state}`;
        if (slots === 1) {
          assert.equal(started.length, order.includes('approve') ? 1 : 0, where);
          const first = order.findIndex((kind) => kind === 'approve');
          assert.deepEqual(
            codes,
            order.map((kind, at) => (kind === 'deny' && at > first ? 4 : 0)),
            where,
          );
        } else {
          assert.deepEqual(codes, [0, 0, 0], where);
          assert.equal(state, order.at(-1) === 'approve' ? 'ready' : 'blocked', where);
          assert.equal(started.length, 0, where);
        }
      }
    }
  });
});

describe('approval of a whole run', () => {
  test('is asked for from its start, or from when it is set; unset, what waited starts', () => {
    const world = new CoreWorld(
      planOf([{ id: 'a' }, { id: 'b', on: ['a'] }, { id: 'c' }]),
      () => true,
      { approve: true },
    );
    world.rest();
    assert.deepEqual(states(world), ['ready', 'pending', 'ready']);
    const set = (on: boolean): number =>
      world.code({ kind: 'set-approval', run: runId, approve: on });
    const { seq } = world.state;
    assert.equal(set(true), 0);
    assert.equal(world.state.seq, seq, 'again changes nothing');
    assert.equal(set(false), 0);
    assert.deepEqual(states(world), ['starting', 'pending', 'starting']);
    assert.equal(set(true), 0);
    world.rest();
    assert.deepEqual(states(world), ['complete', 'ready', 'complete']);
    world.ask(said('approve'));
    world.rest();
    assert.equal(world.run.state, 'complete');
    assert.equal(set(true), 4);
  });
});
