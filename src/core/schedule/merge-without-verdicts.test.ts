/**
 * Tries to merge without verdicts: checks that are red, silent, lost, incomplete or about another tree, change gates
 * about another tip, reviews of another change. What may be merged is read from the log, not asked of the core.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CoreWorld,
  planOf,
  treeVerdict,
  type WorkerSketch,
} from '../../../test/support/core-world.ts';
import type { Outcome } from '../commands.ts';
import type { Event } from '../events.ts';
import type { Intent } from '../intents.ts';
import { mergeQueue } from './queue.ts';
import { mergeChain } from './merge-chain.ts';
import { supersededBy } from '../edges.ts';
import { definitionOf } from '../state.ts';

const ids = ['a', 'b', 'c', 'd'];
const review = { agents: ['stub'], person: false, quorum: 1 };

const plan = fc
  .record({
    verify: fc.array(fc.subarray(['v', 'w']), { minLength: 4, maxLength: 4 }),
    reviewed: fc.subarray(ids),
    waits: fc.subarray(['b', 'c', 'd']),
    checks: fc.subarray(['all', 'lint']),
    mergeQueue: fc.constantFrom(undefined, 'batch' as const, 'speculative' as const),
    maxParallelChecks: fc.integer({ min: 1, max: 4 }),
    maxRework: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ verify, reviewed, waits, mergeQueue: mode, ...policies }) =>
    planOf(
      ids.map((id, at): WorkerSketch => {
        const sketch = { id, verify: verify[at] ?? [], on: waits.includes(id) ? ['a'] : [] };
        return reviewed.includes(id) ? { ...sketch, review } : sketch;
      }),
      { ...policies, maxParallel: 4, ...(mode === undefined ? {} : { mergeQueue: mode }) },
    ),
  );

const step = fc.record({ pick: fc.nat(), fate: fc.nat(24), which: fc.nat(3) });

test('however verdicts are missing, red or about something else, nothing is merged without all of them; fault 83: nobody falls out of the queue', () => {
  let merges = 0;
  fc.assert(
    fc.property(plan, fc.array(step, { minLength: 40, maxLength: 150 }), (given, steps) => {
      const world = new CoreWorld(given);
      for (const { pick, fate, which } of steps) {
        const intents = world.intents();
        const intent = intents[pick % Math.max(1, intents.length)];
        if (intent !== undefined) world.perform(intent, (one) => astray(one, fate, which));
        for (const due of world.intents()) {
          if (due.kind !== 'commit-merge') continue;
          const unmet = lacking(world, due.worker, due);
          assert.equal(unmet, null, `${due.worker} is about to be merged: ${unmet}`);
          assert.ok(due.admission.trees.every(({ tree }) => tree === due.tree));
        }
        assertOwned(world);
      }
      for (const event of world.log) if (event.type === 'worker.merged') merges += 1;
    }),
    { numRuns: 250 },
  );
  assert.ok(merges > 100, `${merges} merges in all`);
});

/** What becomes of the effect when its verdicts go astray; null when it goes well. */
function astray(intent: Intent, fate: number, which: number): Outcome | null {
  const { run } = intent;
  if (intent.kind === 'check' && fate < 6) {
    const of = { kind: 'checked', run, subject: intent.subject, worker: intent.worker } as const;
    const results = ['fail', 'inconclusive', 'pass', 'pass', 'pass', 'pass'] as const;
    const verdicts = intent.gates.flatMap((gate, at) => {
      const one = treeVerdict(intent.tree, gate, results[fate] ?? 'pass');
      if (fate === 2 && at === which % intent.gates.length) return [];
      if (fate === 3) return [{ ...one, tree: `${intent.tree}, or another` }];
      if (fate === 4) return [{ ...one, command: `${gate.command} || true` }];
      if (fate === 5) return [{ ...one, setup: ['another setup'] }];
      return [one];
    });
    return { ...of, verdicts };
  }
  if (intent.kind === 'judge' && fate < 3) {
    const verdict = {
      gate: 'deliverables',
      result: fate === 0 ? 'pass' : 'fail',
      tip: fate === 0 ? 'another tip' : (intent.key.split(':')[3] ?? ''),
      patch: 'p',
      definition: '',
      findings: ['no'],
      files: [],
    } as const;
    return { kind: 'judged', run, worker: intent.worker, verdicts: fate === 2 ? [] : [verdict] };
  }
  if (intent.kind === 'review' && fate < 2) {
    const { worker, n } = intent;
    const said =
      fate === 0
        ? ({ kind: 'verdict', result: 'changes_requested', text: 'no', findings: [] } as const)
        : ({ kind: 'none', reason: 'silent', notBefore: null, counts: true } as const);
    return { kind: 'reviewed', run, worker, n, said, usage: null };
  }
  return null;
}

/** What the log lacks for the merge of the tested tree; null when nothing. */
function lacking(
  world: CoreWorld,
  id: string,
  merge: Extract<Intent, { kind: 'commit-merge' }>,
): string | null {
  const { checks } = world.run.plan.policies;
  const members = [...merge.ahead.map(({ worker }) => worker), id];
  const judges = checks.length > 0 ? members : [...world.run.mergedOrder, ...members];
  const commands = [...checks, ...judges.flatMap((one) => definitionOf(world.run, one).verify)];
  for (const command of commands) {
    const last = world.log.findLast(
      (event) => treeOf(event) === `${merge.tree} ${command} ${JSON.stringify([])}`,
    );
    if (last?.type !== 'gate.passed') return `${command} on ${merge.tree}`;
  }
  for (const member of members) {
    const tip = world.worker(member).work?.tip;
    const judged = world.log.findLast(
      ({ type, worker, data }) =>
        type.startsWith('gate.') &&
        worker === member &&
        'verdict' in data &&
        'tip' in data.verdict &&
        data.verdict.tip === tip,
    );
    if (judged?.type !== 'gate.passed') return `change gates of ${member} at ${tip}`;
    if (definitionOf(world.run, member).review === undefined) continue;
    const said = world.log.findLast(
      ({ type, worker, data }) =>
        type.startsWith('review.') && worker === member && 'tip' in data && data.tip === tip,
    );
    if (said?.type !== 'review.approved') return `a review of ${member} at ${tip}`;
  }
  return null;
}

function treeOf({ data }: Event): string | null {
  if (!('verdict' in data) || !('tree' in data.verdict)) return null;
  const { tree, command, setup } = data.verdict;
  return `${tree} ${command} ${JSON.stringify(setup)}`;
}

/** Fault 83: whoever is to be merged is in the chain or in the queue, or waits for one that was sent back; never in none. */
function assertOwned({ run }: CoreWorld): void {
  const chain = new Set(mergeChain(run).map(({ worker }) => worker.id));
  const queue = new Set(mergeQueue(run).map(({ id }) => id));
  for (const worker of run.workers.values()) {
    if (worker.state !== 'merging') continue;
    const owners = [chain.has(worker.id), queue.has(worker.id), supersededBy(run, worker) !== null];
    const count = owners.filter(Boolean).length;
    assert.equal(count, 1, `fault 83: ${worker.id} is merging, and ${count} places know of it`);
  }
}
