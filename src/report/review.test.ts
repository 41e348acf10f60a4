import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inboxEntries } from './inbox.ts';
import { reviewDocument, reviewText } from './review.ts';
import { CoreWorld, planOf, runId } from '../../test/support/core-world.ts';

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
