/**
 * The loop's process dies at every place of every effect and around every append of a small plan: at each occurrence
 * alone, and at every ordered pair of places, the second one in a process that came after. Every invariant must hold,
 * and the run must end and land.
 */
import { planOf } from '../test/support/core-world.ts';
import type { Plan } from '../src/core/plan.ts';
import { Coverage } from './coverage.ts';
import { simulate } from './simulation.ts';

export interface SmallPlan {
  readonly name: string;
  readonly seed: number;
  readonly plan: Plan;
}

const retry = { maxAttempts: 2, backoff: 'fixed', initialMs: 0, maxMs: 0, from: 'clean' } as const;

/** Small plans that together pass every place that a run without requests has. */
export const smallPlans: readonly SmallPlan[] = [
  {
    name: 'one worker with a setup and a check',
    seed: 1,
    plan: planOf([{ id: 'a', setup: ['s'], verify: ['v'], retry }]),
  },
  {
    name: 'a chain of two with an input',
    seed: 2,
    plan: planOf([
      { id: 'a', deliverables: ['a.txt'], retry },
      {
        id: 'b',
        on: [{ on: 'a', kind: 'output', requires: 'complete', inputs: ['a.txt'] }],
        retry,
      },
    ]),
  },
  {
    name: 'two side by side that share a check',
    seed: 3,
    plan: planOf(
      [
        { id: 'a', owns: ['x/**'], retry },
        { id: 'b', owns: ['y/**'], retry },
      ],
      { checks: ['all'], maxParallel: 2 },
    ),
  },
];

export interface Killed {
  /** Places that the undisturbed run passes. */
  readonly places: number;
  /** Deaths tried, and those that happened: a kill can change what comes after it. */
  readonly tried: number;
  readonly happened: number;
  /** What broke, one sentence each. */
  readonly broken: readonly string[];
}

/** Dies at each occurrence of each place alone; at most so many of one place. */
export async function killAlone(small: SmallPlan, most = Infinity): Promise<Killed> {
  const passed = await placesOf(small);
  const kills = [...passed].flatMap(([place, times]) =>
    Array.from({ length: Math.min(times, most) }, (_, n) => [`${place}#${n + 1}`]),
  );
  return killAt(small, passed.size, kills);
}

/** Dies at each place and, in the process that follows, at each place again; of all pairs one in `step`. */
export async function killInPairs(small: SmallPlan, step = 1): Promise<Killed> {
  const places = [...(await placesOf(small)).keys()];
  const pairs = places.flatMap((first, at) =>
    places.filter((_, n) => (at + n) % step === 0).map((second) => [first, second]),
  );
  return killAt(small, places.length, pairs);
}

async function placesOf({ seed, plan }: SmallPlan): Promise<ReadonlyMap<string, number>> {
  const coverage = new Coverage();
  await simulate({ seed, plan, coverage, moments: 0 });
  return coverage.of('site');
}

async function killAt(
  { seed, plan }: SmallPlan,
  places: number,
  tries: readonly (readonly string[])[],
): Promise<Killed> {
  let happened = 0;
  const broken: string[] = [];
  for (const kills of tries) {
    const { failure, notKilled } = await simulate({ seed, plan, kills, moments: 0 });
    if (notKilled.length === 0) happened += 1;
    if (failure !== null) broken.push(`${kills.join(', ')}: ${failure.message}`);
  }
  return { places, tried: tries.length, happened, broken };
}
