/** The golden log of findings that send workers back, and of reviews by agents and a person. */
import assert from 'node:assert/strict';
import type { ReviewerSaid } from '../../src/core/events.ts';
import { encodeEvent, type StoredEvent } from '../../src/journal/codec.ts';
import { CoreWorld, planOf, runId, treeVerdict } from '../support/core-world.ts';

/** One that is sent back by its check, by an agent and by a person, with a review that says nothing between. */
export function reviewLog(): readonly StoredEvent[] {
  const review = { agents: ['stub'], person: true, quorum: 2 };
  const world = new CoreWorld(planOf([{ id: 'a', verify: ['test'], review }, { id: 'b' }]));
  const finding = { severity: 'high', file: 'a.txt', line: 2, text: 'undone' } as const;
  const left: ReviewerSaid[] = [
    { kind: 'none', reason: 'no verdict', notBefore: null, counts: true },
    { kind: 'verdict', result: 'changes_requested', text: 'not yet', findings: [finding] },
  ];
  let red = 1;
  const rest = (): void =>
    world.rest((intent) => {
      if (intent.kind === 'check' && intent.worker === 'a' && red > 0) {
        red -= 1;
        const { run, subject, worker, tree, gates } = intent;
        const verdicts = gates.map((gate) => treeVerdict(tree, gate, 'fail'));
        return { kind: 'checked', run, subject, worker, verdicts };
      }
      if (intent.kind !== 'review') return null;
      const { run, worker, n } = intent;
      const said = left.shift() ?? approval;
      const usage = { input: 50, output: 5, cached: 0, costUsd: 0.1 };
      return { kind: 'reviewed', run, worker, n, said, usage };
    });
  rest();
  const place = { run: runId, worker: 'a', tip: null, findings: [] } as const;
  world.ask({ kind: 'review', ...place, result: 'changes_requested', text: 'shorter, please' });
  rest();
  world.ask({ kind: 'review', ...place, result: 'approve', text: '' });
  rest();
  assert.equal(world.run.state, 'complete');
  assert.equal(world.worker('a').reworks.length, 3);
  world.send({ kind: 'loop-ended', reason: 'closed' });
  return world.log.map((event) => encodeEvent(event));
}

const approval: ReviewerSaid = { kind: 'verdict', result: 'approve', text: '', findings: [] };
