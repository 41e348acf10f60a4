import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreWorld, endOf, planOf, runId, success } from '../../test/support/core-world.ts';
import type { Outcome } from './commands.ts';
import type { Intent } from './intents.ts';
import { why } from './why.ts';

const failing = (intent: Intent): Outcome => ({
  kind: 'effect-failed',
  run: intent.run,
  worker: 'worker' in intent ? intent.worker : null,
  attempt: 'attempt' in intent ? intent.attempt : null,
  key: intent.key,
  effect: intent.kind,
  error: 'broken',
});

/** Performs what comes until an intent of the kind is due, and gives it. */
function until(world: CoreWorld, kind: Intent['kind']): Intent {
  for (let step = 0; step < 100; step += 1) {
    const found = world.intent(kind);
    if (found !== undefined) return found;
    const [next] = world.intents();
    if (next === undefined) break;
    world.perform(next);
  }
  throw new Error(`${kind} never comes`);
}

/** Lets the effect fail so many times, waiting as the core says. */
function fail(world: CoreWorld, kind: Intent['kind'], times: number): void {
  for (let n = 0; n < times; n += 1) {
    const intent = world.intent(kind);
    assert.ok(intent !== undefined, `${kind} is tried again`);
    world.send(failing(intent));
    world.now += 61_000;
  }
}

test('S1: a launch that cannot be confirmed is stopped before another attempt begins', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  until(world, 'launch');
  fail(world, 'launch', 3);
  assert.equal(world.intent('launch'), undefined);
  const stop = world.intent('stop');
  assert.ok(stop?.kind === 'stop');
  assert.equal(world.worker('a').attempts, 1);
  fail(world, 'stop', 4);
  assert.equal(world.worker('a').attempts, 1);
  world.send(endOf(stop, { how: 'stopped', why: 'interrupted', code: null }));
  assert.equal(world.worker('a').attempts, 2);
  assert.equal(world.worker('a').lostInRow, 1);
});

test('fault 45: a program that never can be launched blocks its worker after four lost attempts', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.rest((intent) => (intent.kind === 'launch' ? failing(intent) : null));
  assert.equal(world.worker('a').state, 'blocked');
  assert.equal(world.worker('a').block?.kind, 'lost');
  assert.equal(world.run.state, 'waiting');
});

test('S5: a merge whose commit cannot be confirmed is tried until it is', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  until(world, 'commit-merge');
  fail(world, 'commit-merge', 6);
  assert.equal(world.worker('a').state, 'merging');
  assert.match(why(world.state, world.run, world.worker('a'), world.now), /tried again \(broken\)/);
  world.rest();
  assert.equal(world.run.state, 'complete');
});

test('S5: a landing that cannot be confirmed is not called refused', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.rest();
  world.ask({ kind: 'land', run: runId, target: 'main', mode: 'merge', partial: false, onto: 'o' });
  until(world, 'commit-landing');
  fail(world, 'commit-landing', 6);
  assert.notEqual(world.run.landing, null);
  world.rest();
  assert.equal(world.run.landed?.commit, 'landing');
});

test('what was built for an earlier landing is not landed by a later one', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.rest();
  const land = { kind: 'land', run: runId, target: 'main', mode: 'merge', partial: false } as const;
  world.ask({ ...land, onto: 'one' });
  const early = until(world, 'build-landing');
  world.send({ kind: 'landing-refused', run: runId, reason: 'it moved', files: [] });
  world.now += 5;
  world.ask({ ...land, onto: 'two' });
  world.send(success(early));
  assert.equal(world.run.landing?.built, null);
  world.send({ kind: 'landed', run: runId, commit: 'landing' });
  assert.equal(world.run.landed, null);
});

test('S2: what an attempt reports after its worker was cancelled changes nothing but kept work', () => {
  const world = new CoreWorld(planOf([{ id: 'a', setup: ['install'] }]));
  const tree = until(world, 'prepare-tree');
  until(world, 'setup');
  world.ask({ kind: 'cancel', run: runId, worker: 'a' });
  assert.equal(world.worker('a').state, 'cancelled');
  const of = { run: runId, worker: 'a', attempt: 1 };
  const seq = world.log.length;
  world.send({ kind: 'setup-failed', ...of, findings: ['red'] });
  world.send({ kind: 'setup-passed', ...of });
  world.send({ kind: 'launch-failed', ...of, error: 'gone', final: true });
  world.send({
    kind: 'reports',
    ...of,
    reports: [{ kind: 'checkpoint', name: 'late' }],
    refused: [],
    reportOffset: 9,
    outputOffset: 0,
  });
  assert.equal(world.log.length, seq);
  const kept = { ref: 'refs/czar/kept/r/a/1', commit: 'k', files: ['f'], leftOut: [], why: 'anew' };
  const late = success(tree);
  assert.ok(late.kind === 'tree-prepared');
  world.send({ ...late, kept: [kept] });
  world.send({ ...late, kept: [kept] });
  assert.deepEqual(
    world.log.slice(seq).map((event) => event.type),
    ['work.kept'],
  );
});

test('verdicts that come after the work was submitted anew count for nothing', () => {
  const world = new CoreWorld(planOf([{ id: 'a', workspace: 'empty' }], { maxRework: 0 }));
  world.rest(
    (intent) =>
      intent.kind === 'collect'
        ? { kind: 'collected', run: runId, worker: 'a', attempt: 1, work: null, kept: [] }
        : null,
    (intent) => intent.kind === 'judge',
  );
  const judge = world.intent('judge');
  assert.ok(judge !== undefined);
  const red = success(judge);
  assert.ok(red.kind === 'judged');
  world.send({
    ...red,
    verdicts: red.verdicts.map((one) => ({ ...one, tip: '', result: 'fail' })),
  });
  assert.equal(world.worker('a').state, 'blocked');
  const tree = { exists: true, unfinished: null };
  world.ask({ kind: 'submit', run: runId, worker: 'a', tree });
  world.send({ ...red, verdicts: red.verdicts.map((one) => ({ ...one, tip: '' })) });
  assert.equal(world.worker('a').state, 'verifying');
  assert.deepEqual(world.worker('a').verdicts, []);
});
