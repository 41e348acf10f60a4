/** The golden logs of sessions, quotas and permissions, of agents that take the place of others, and of teardowns. */
import assert from 'node:assert/strict';
import { encodeEvent, type StoredEvent } from '../../src/journal/codec.ts';
import { CoreWorld, endOf, planOf, runId } from '../support/core-world.ts';

/** An agent that names its session, is turned away by its provider, goes on, and may not do everything. */
export function sessionLog(): readonly StoredEvent[] {
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b', on: ['a'] }]));
  const usage = { input: 90, output: 10, cached: 500, costUsd: 0.25 };
  world.rest((intent, w) => {
    if (intent.kind !== 'watch' || intent.worker !== 'a') return null;
    const first = intent.attempt === 1;
    w.send({
      kind: 'reports',
      run: runId,
      worker: 'a',
      attempt: intent.attempt,
      reports: [
        { kind: 'session', id: 'session-1' },
        { kind: 'usage', usage: { ...usage, input: 40, costUsd: 0 } },
        { kind: 'usage', usage, total: true },
        { kind: 'denied', tool: 'Bash', detail: 'git push' },
      ],
      refused: [],
      reportOffset: 0,
      outputOffset: 1000,
    });
    if (!first) return null;
    const ended = endOf(intent, { how: 'exited', code: 1 });
    const judgement = { kind: 'quota', reason: 'no more today', until: null } as const;
    return ended.kind === 'attempt-ended' ? { ...ended, judgement } : ended;
  });
  assert.equal(world.run.state, 'complete');
  world.send({ kind: 'loop-ended', reason: 'closed' });
  return world.log.map((event) => encodeEvent(event));
}

/** An agent that is not installed, one without quota, and who takes their places. */
export function fallbackLog(): readonly StoredEvent[] {
  const agent = { name: 'gone', why: 'agents.default' };
  const plan = planOf([
    { id: 'a', agent, fallback: ['busy', 'stub'] },
    { id: 'b', agent, fallback: ['stub'] },
  ]);
  const world = new CoreWorld(plan, undefined, { missing: ['gone'] });
  world.rest((intent) => {
    if (intent.kind !== 'watch' || intent.worker !== 'a' || intent.attempt > 1) return null;
    const ended = endOf(intent, { how: 'exited', code: 1 });
    const judgement = { kind: 'quota', reason: 'no more today', until: 3_600_000 } as const;
    return ended.kind === 'attempt-ended' ? { ...ended, judgement } : ended;
  });
  assert.equal(world.run.state, 'complete');
  assert.deepEqual(Object.keys(world.run.turnedAway), ['busy']);
  world.send({ kind: 'loop-ended', reason: 'closed' });
  return world.log.map((event) => encodeEvent(event));
}

/** A list of tasks that an agent keeps by numbers, and anew in another session; tokens that were counted on the way. */
export function listLog(): readonly StoredEvent[] {
  const world = new CoreWorld(planOf([{ id: 'a', tasks: ['Plan it'] }]));
  const usage = { input: 90, output: 10, cached: 500, costUsd: 0 };
  world.rest((intent, w) => {
    if (intent.kind !== 'watch') return null;
    const [one, other] = intent.attempt === 1 ? ['Write it', 'Test it'] : ['Test it', 'Ship it'];
    w.send({
      kind: 'reports',
      run: runId,
      worker: 'a',
      attempt: intent.attempt,
      reports: [
        { kind: 'task-listed', task: one, ref: '1' },
        { kind: 'task-listed', task: other, ref: '2' },
        { kind: 'task-moved', ref: '1', to: 'started' },
        { kind: 'task-moved', ref: '1', to: 'completed' },
        { kind: 'usage', usage, total: true, metered: true },
      ],
      refused: [],
      reportOffset: 0,
      outputOffset: 1000,
    });
    return intent.attempt > 1 ? null : endOf(intent, { how: 'exited', code: 1 });
  });
  assert.equal(world.run.state, 'complete');
  world.send({ kind: 'loop-ended', reason: 'closed' });
  return world.log.map((event) => encodeEvent(event));
}

/** A teardown that goes well, and one that does not. */
export function teardownLog(): readonly StoredEvent[] {
  const teardown = ['make stop'];
  const world = new CoreWorld(
    planOf([
      { id: 'a', teardown },
      { id: 'b', teardown },
    ]),
  );
  world.rest((intent) => {
    if (intent.kind !== 'teardown' || intent.worker !== 'b') return null;
    const { run, worker, attempt } = intent;
    const failures = [{ command: 'make stop', findings: ['make stop', 'exit 2', 'no rule'] }];
    return { kind: 'torn-down', run, worker, attempt, failures };
  });
  assert.equal(world.run.state, 'complete');
  world.send({ kind: 'loop-ended', reason: 'closed' });
  return world.log.map((event) => encodeEvent(event));
}
