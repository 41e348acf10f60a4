import assert from 'node:assert/strict';
import { test } from 'node:test';
import { invariants } from './invariants.ts';
import type { Mutant } from './mutant.ts';
import { mutants } from './mutants.ts';
import { simulate } from './simulation.ts';

const seeds = 400;

/** The seed whose simulation notices the mutant, and by which invariant. */
async function caught({ mutation }: Mutant): Promise<{ seed: number; by: string; text: string }> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const { failure } = await simulate({ seed, mutation });
    if (failure !== null) return { seed, by: failure.invariant, text: failure.message };
  }
  return { seed: seeds, by: 'nothing', text: 'it is not noticed' };
}

for (const mutant of mutants) {
  test(`${mutant.breaks} is noticed when ${mutant.name}`, async () => {
    const { by, text } = await caught(mutant);
    assert.ok(
      by === mutant.breaks || mutant.or?.some((one) => one === by) === true,
      `${by}: ${text}`,
    );
  });
}

test('every invariant has a mutant that breaks it', () => {
  const broken = new Set(mutants.map((mutant) => mutant.breaks));
  assert.deepEqual(
    Object.keys(invariants).filter((name) => ![...broken].some((one) => one === name)),
    [],
  );
});

test('faults 18, 19 and 20: without a mutant the same seeds hold, and each gives the same bytes again', async () => {
  for (let seed = 1; seed <= 25; seed += 1) {
    const first = await simulate({ seed, trace: true });
    assert.equal(first.failure, null, first.failure?.message);
    assert.deepEqual(await simulate({ seed, trace: true }), first);
  }
});
