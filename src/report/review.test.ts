import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inboxEntries } from './inbox.ts';
import { nextCommand } from './next-command.ts';
import { reviewDocument, reviewText } from './review.ts';
import { CoreWorld, planOf, runId, success } from '../../test/support/core-world.ts';

test('what a person must review stands in the inbox with what to type, and its review says who is asked', () => {
  const review = { agents: ['stub'], person: true, quorum: 2 };
  const of = new CoreWorld(planOf([{ id: 'a', review }, { id: 'b' }]));
  const statuses = new Set<string | null>();
  of.rest((intent) => {
    if (intent.kind === 'collect' || intent.kind === 'review')
      statuses.add(reviewDocument(of.run, of.worker('a')).status);
    return null;
  });
  statuses.add(reviewDocument(of.run, of.worker('a')).status);
  assert.deepEqual([...statuses], ['required', 'running', 'waiting']);
  const [entry, ...others] = inboxEntries({ state: of.state, run: null, now: of.now });
  assert.deepEqual(others, []);
  assert.equal(entry?.kind, 'review');
  assert.match(entry?.text ?? '', /1 file at a\.1/);
  assert.deepEqual(entry?.commands, [
    'czar diff a',
    'czar review a --approve',
    'czar review a --request-changes -m TEXT',
  ]);
  const text = reviewText(reviewDocument(of.run, of.worker('a')), ' a.txt | 1 +\n').join('\n');
  assert.match(text, /review by stub, a person, 2 needed: waiting/);
  assert.match(text, /stub: approved/);
  assert.equal(
    reviewText(reviewDocument(of.run, of.worker('b')), '')[0],
    'b is merged without a review.',
  );
  of.ask({
    kind: 'review',
    run: runId,
    worker: 'a',
    result: 'approve',
    tip: null,
    text: '',
    findings: [],
  });
  of.rest();
  assert.equal(reviewDocument(of.run, of.worker('a')).status, 'approved');
});

test('a review that gave no verdict says what it is about and how it is settled: by a person’s word, or once more', () => {
  const review = { agents: ['stub'], person: false, quorum: 1 };
  const of = new CoreWorld(planOf([{ id: 'a', review }]));
  of.rest((intent) => {
    if (intent.kind !== 'review') return null;
    const outcome = success(intent);
    return outcome.kind === 'reviewed'
      ? {
          ...outcome,
          said: { kind: 'none', reason: 'it said nothing', notBefore: null, counts: true },
        }
      : null;
  });
  const worker = of.worker('a');
  assert.equal(worker.state, 'blocked');
  assert.equal(nextCommand(of.run, worker), 'czar review a');
  const [entry] = inboxEntries({ state: of.state, run: null, now: of.now });
  assert.deepEqual(entry?.commands, ['czar review a --approve', 'czar unblock a']);
  const resolution = {
    tip: 'a.1',
    onto: 'base',
    removed: [{ path: 'x.txt', lines: ['theirs'], more: 2 }],
    others: ['b'],
  };
  const text = reviewText(reviewDocument(of.run, { ...worker, resolution }), '').join('\n');
  assert.match(text, /removed from x\.txt[^]*- theirs\n- and 2 more[^]*czar review a --approve/);
});
