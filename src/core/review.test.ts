import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Outcome } from './commands.ts';
import type { ReviewerSaid } from './events.ts';
import type { ReviewFinding } from './events.ts';
import type { Review } from './plan.ts';
import { CoreWorld, planOf, runId, type Script } from '../../test/support/core-world.ts';

const finding: ReviewFinding = { severity: 'high', file: 'a.txt', line: 2, text: 'undone' };

/** Reviewers that say these one after another, then approve. */
function saying(...words: readonly ReviewerSaid[]): Script {
  const left = [...words];
  return (intent) => {
    if (intent.kind !== 'review') return null;
    const { run, worker, n } = intent;
    const said = left.shift() ?? approves();
    return { kind: 'reviewed', run, worker, n, said, usage: null };
  };
}

function approves(...findings: readonly ReviewFinding[]): ReviewerSaid {
  return { kind: 'verdict', result: 'approve', text: '', findings };
}

const objects: ReviewerSaid = {
  kind: 'verdict',
  result: 'changes_requested',
  text: 'not yet',
  findings: [finding],
};
const silent: ReviewerSaid = { kind: 'none', reason: 'no verdict', notBefore: null, counts: true };

function world(review: Review, maxRework = 3): CoreWorld {
  return new CoreWorld(planOf([{ id: 'a', review }], { maxRework }));
}

function person(result: 'approve' | 'changes_requested'): Parameters<CoreWorld['ask']>[0] {
  return { kind: 'review', run: runId, worker: 'a', result, tip: null, text: 'so', findings: [] };
}

function typesOf(of: CoreWorld, ...types: readonly string[]): readonly string[] {
  return of.story('a').filter((type) => types.includes(type));
}

const byAgent: Review = { agents: ['stub'], person: false, quorum: 1 };
const byPerson: Review = { agents: [], person: true, quorum: 1 };

describe('a review by an agent', () => {
  test('that approves lets the change be merged', () => {
    const of = world(byAgent);
    of.rest(saying());
    assert.equal(of.run.state, 'complete');
    assert.deepEqual(typesOf(of, 'review.started', 'review.approved', 'worker.merged'), [
      'review.started',
      'review.approved',
      'worker.merged',
    ]);
  });

  test('that asks for changes sends the worker back word for word; the change that is made is looked at anew', () => {
    const of = world(byAgent);
    of.rest(saying(objects));
    assert.equal(of.run.state, 'complete');
    const [note] = of.worker('a').notes;
    assert.equal(note?.text, 'stub asks for changes: not yet\nnot yet\nhigh a.txt:2: undone');
    assert.equal(of.worker('a').attempts, 2);
    assert.equal(of.worker('a').review?.made, 2);
  });

  test('a critical or high finding is a request for changes, whatever the verdict is called', () => {
    const of = world(byAgent);
    of.rest(saying(approves(finding), approves({ ...finding, severity: 'low' })));
    assert.equal(typesOf(of, 'review.changes_requested').length, 1);
    assert.equal(of.run.state, 'complete');
  });

  test('fault 90: a reviewer that is never satisfied ends at a person, who may overrule it', () => {
    const of = world(byAgent, 2);
    of.rest(saying(objects, objects, objects, objects));
    const { state, block, attempts } = of.worker('a');
    assert.deepEqual(
      { state, kind: block?.kind, attempts },
      { state: 'blocked', kind: 'review', attempts: 3 },
    );
    assert.match(block?.text ?? '', /sent back 2 times before/);
    assert.equal(of.ask(person('approve')).ok, true);
    of.rest();
    assert.equal(of.run.state, 'complete');
  });

  test('without a verdict is asked for once more, then a person is; what czar stopped does not count', () => {
    const of = world(byAgent);
    of.rest(saying({ ...silent, counts: false }, silent, silent));
    const { state, block, review } = of.worker('a');
    assert.deepEqual(
      { state, kind: block?.kind, step: block?.step, made: review?.made },
      { state: 'blocked', kind: 'inconclusive', step: 'reviewing', made: 3 },
    );
    of.ask({ kind: 'unblock', run: runId, worker: 'a', note: null });
    of.rest();
    assert.equal(of.run.state, 'complete');
  });

  test('holds a slot of the agents, and is given one first', () => {
    const of = new CoreWorld(
      planOf([{ id: 'a', review: byAgent }, { id: 'b' }, { id: 'c' }], { maxParallel: 1 }),
    );
    of.until('review', 'a');
    assert.equal(of.worker('c').attempts, 0, 'the review goes before what is not begun');
    of.rest();
    assert.equal(of.run.state, 'complete');
  });

  test('that nobody waits for any more is ended, and holds its slot until then', () => {
    const of = world(byAgent);
    of.until('review', 'a');
    of.ask({ kind: 'pause', run: runId, worker: 'a' });
    assert.deepEqual(
      of.intents().map(({ kind }) => kind),
      ['end-review'],
    );
    assert.deepEqual(of.run.reviewing, ['a']);
    of.rest();
    assert.deepEqual(of.run.reviewing, []);
    of.ask({ kind: 'resume', run: runId, worker: 'a' });
    of.rest();
    assert.equal(of.run.state, 'complete');
    assert.equal(of.worker('a').review?.made, 2);
  });

  test('counts for the budget of its worker', () => {
    const of = world(byAgent);
    of.rest((intent): Outcome | null => {
      if (intent.kind !== 'review') return null;
      const { run, worker, n } = intent;
      const usage = { input: 70, output: 7, cached: 700, costUsd: 0.5 };
      return { kind: 'reviewed', run, worker, n, said: approves(), usage };
    });
    assert.deepEqual(of.run.spent, { tokens: 77, costUsd: 0.5 });
    assert.equal(of.worker('a').usage.output, 7);
  });
});

describe('a review by a person', () => {
  test('waits for them, in the inbox, and others may change the same files meanwhile', () => {
    const of = new CoreWorld(
      planOf([
        { id: 'a', review: byPerson, owns: ['x/**'] },
        { id: 'b', owns: ['x/**'] },
      ]),
    );
    of.rest();
    assert.equal(of.worker('a').state, 'reviewing');
    assert.equal(of.worker('b').state, 'complete');
    assert.equal(of.run.state, 'waiting');
    assert.equal(of.ask(person('approve')).ok, true);
    of.rest();
    assert.equal(of.run.state, 'complete');
  });

  test('is of the change as it was looked at: another tip is refused, as is one that is not under review', () => {
    const of = world(byPerson);
    assert.equal(of.code(person('approve')), 4);
    of.rest();
    const stale = { ...person('approve'), tip: 'another' } as ReturnType<typeof person>;
    assert.equal(of.code(stale), 4);
    assert.equal(of.code(person('changes_requested')), 0);
    of.rest();
    assert.equal(of.worker('a').attempts, 2);
    assert.equal(of.worker('a').state, 'reviewing', 'what is made anew is looked at anew');
  });

  test('that nobody gives is a request for changes, by policy', () => {
    const unanswered = { instead: 'deny', afterMs: 1_000 } as const;
    const of = new CoreWorld(planOf([{ id: 'a', review: byPerson, unanswered }], { maxRework: 1 }));
    of.rest();
    const words = of.log.filter((event) => event.type === 'review.changes_requested');
    assert.ok(words.every((event) => event.data.by === 'policy'));
    assert.equal(of.worker('a').state, 'blocked');
  });
});

describe('several reviewers', () => {
  test('all must approve, the agents first', () => {
    const of = world({ agents: ['stub', 'stub'], person: true, quorum: 3 });
    of.rest();
    assert.equal(of.worker('a').review?.made, 2);
    assert.equal(of.worker('a').state, 'reviewing');
    of.ask(person('approve'));
    of.rest();
    assert.equal(of.run.state, 'complete');
  });

  test('an approval outlives a clean merge on another base, and not another commit', () => {
    const of = new CoreWorld(
      planOf([{ id: 'a', review: byAgent }, { id: 'b' }], { checks: ['all'] }),
    );
    let conflicts = 1;
    of.rest((intent) => {
      if (intent.kind !== 'build-merge' || intent.worker !== 'a' || conflicts === 0) return null;
      conflicts -= 1;
      const { run, worker, base, tip } = intent;
      return { kind: 'merge-conflict', run, worker, base, tip, files: ['x'], messages: [] };
    });
    assert.equal(of.run.state, 'complete');
    assert.equal(of.worker('a').review?.made, 2, 'the resolution is another commit');
  });

  test('a dependent that asks for verified work starts while it is reviewed, one that asks for approved does not', () => {
    const on = (requires: 'verified' | 'approved') => [
      { on: 'a', kind: 'sequential' as const, requires },
    ];
    const of = new CoreWorld(
      planOf([
        { id: 'a', review: byPerson },
        { id: 'early', on: on('verified') },
        { id: 'late', on: on('approved') },
      ]),
    );
    of.rest();
    assert.equal(of.worker('early').state, 'complete');
    assert.equal(of.worker('late').state, 'pending');
  });
});
