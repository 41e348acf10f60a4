/**
 * Many seeds, one after another: progress on standard error, the first failure shrunk, a report of what was reached.
 * `--kills`, instead: every place of three small plans at which the loop can die, alone and in all pairs.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Coverage } from './coverage.ts';
import { killAlone, killInPairs, smallPlans, type SmallPlan } from './kills.ts';
import { simulate } from './simulation.ts';
import { report } from './report.ts';
import { shrink } from './shrink.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '2000' },
    seed: { type: 'string', default: '1' },
    report: { type: 'string' },
    trace: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    kills: { type: 'boolean', default: false },
  },
});
process.exitCode = values.kills ? await killEverywhere() : await playSeeds();

async function killEverywhere(): Promise<0 | 1> {
  let broken = 0;
  for (const small of smallPlans) {
    for (const [how, kill] of [
      ['alone', (small: SmallPlan) => killAlone(small)],
      ['in pairs', (small: SmallPlan) => killInPairs(small)],
    ] as const) {
      const done = await kill(small);
      for (const line of done.broken) console.error(line);
      broken += done.broken.length;
      console.log(
        `${small.name}, ${done.places} places, ${how}: ${done.happened} of ${done.tried} deaths happened, ${done.broken.length} broke something`,
      );
    }
  }
  return broken === 0 ? 0 : 1;
}

async function playSeeds(): Promise<0 | 1> {
  const runs = Number(values.runs);
  const first = Number(values.seed);
  const coverage = new Coverage();
  const begun = performance.now();
  let failed = 0;
  let events = 0;
  let steps = 0;
  let lasted = 0;
  const byInvariant = new Map<string, number[]>();

  for (let seed = first; seed < first + runs; seed += 1) {
    const result = await simulate({ seed, coverage, trace: values.trace });
    if (values.trace) console.log(result.trace.join('\n'));
    events += result.events;
    steps += result.steps;
    lasted += result.lasted;
    if (result.failure !== null) {
      failed += 1;
      const seeds = byInvariant.get(result.failure.invariant) ?? [];
      byInvariant.set(result.failure.invariant, [...seeds, seed]);
      console.error(`seed ${seed}: ${result.failure.message}`);
      if (failed === 1 && !values.keep) {
        const small = await shrink(seed, result.failure.invariant);
        console.error(small);
      }
    }
    const done = seed - first + 1;
    if (done % 1_000 === 0) console.error(`${done} of ${runs}, ${failed} failed`);
  }

  const seconds = (performance.now() - begun) / 1_000;
  for (const [invariant, seeds] of byInvariant)
    console.error(`${invariant}: ${seeds.length} (${seeds.slice(0, 8).join(', ')})`);
  if (values.report !== undefined)
    writeFileSync(
      values.report,
      report(coverage, { runs, first, failed, events, steps, lasted, seconds }),
    );
  console.error(
    `${events} events, ${steps} steps, ${coverage.total('fault')} faults in ${seconds.toFixed(1)} s (${(runs / seconds).toFixed(0)} runs a second)`,
  );
  console.log(`${runs} runs, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}
