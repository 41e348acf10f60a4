import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planOf, type WorkerSketch } from '../test/support/core-world.ts';
import type { Policies } from '../src/core/plan.ts';
import { explore } from './exhaustive.ts';

const retry = { maxAttempts: 2, backoff: 'fixed', initialMs: 0, maxMs: 0, from: 'clean' } as const;
const once = { ...retry, maxAttempts: 1 } as const;

const plans: readonly {
  readonly name: string;
  readonly workers: readonly WorkerSketch[];
  readonly policies?: Partial<Policies>;
}[] = [
  { name: 'one worker that is verified', workers: [{ id: 'a', verify: ['v'], retry }] },
  {
    name: 'one that is sent back once',
    workers: [{ id: 'a', verify: ['v'], retry: once }],
    policies: { maxRework: 1 },
  },
  {
    name: 'one that an agent reviews, sent back once',
    workers: [{ id: 'a', retry: once, review: { agents: ['stub'], person: false, quorum: 1 } }],
    policies: { maxRework: 1 },
  },
  {
    name: 'two workers on one claim, with checks',
    workers: [
      { id: 'a', owns: ['x/**'], retry: once },
      { id: 'b', owns: ['x/**'], retry: once },
    ],
    policies: { checks: ['all'] },
  },
  {
    name: 'a chain of two over a setup',
    workers: [
      { id: 'a', setup: ['s'], retry },
      { id: 'b', on: ['a'], retry },
    ],
  },
  {
    name: 'a worker that starts on verified work',
    workers: [
      { id: 'a', verify: ['v'], owns: ['x/**'], retry: once },
      {
        id: 'b',
        on: [{ on: 'a', kind: 'sequential', requires: 'verified' }],
        owns: ['x/**'],
        retry: once,
      },
    ],
  },
  {
    name: 'two before one, in waves',
    workers: [
      { id: 'a', retry: once },
      { id: 'b', retry: once },
      { id: 'c', on: ['a'], retry: once },
    ],
    policies: { barrier: 'wave', maxParallel: 2 },
  },
  ...(['speculative', 'batch'] as const).map((mergeQueue) => ({
    name: `two that are merged on top of each other, ${mergeQueue}`,
    workers: [
      { id: 'a', retry: once },
      { id: 'b', retry: once },
    ],
    policies: { mergeQueue, checks: ['all'], maxParallelChecks: 2 },
  })),
];

/** Unless a plan says so nothing is sent back, which would only multiply the same orders. */
for (const { name, workers, policies } of plans) {
  test(`every order of outcomes ends well: ${name}`, () => {
    const { states, ends, whole } = explore(planOf(workers, { maxRework: 0, ...policies }), 12_000);
    assert.ok(whole && ends > 0 && states > 10, `${states} states, ${ends} ends`);
  });
}
