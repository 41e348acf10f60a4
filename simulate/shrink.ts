/** Makes a failing seed small: fewer workers, fewer moments of chaos, fewer kinds of faults, while it fails the same way. */
import { faultRates } from './faults.ts';
import type { Invariant } from './invariants.ts';
import { simulate, type SimulationOptions, type SimulationResult } from './simulation.ts';

const shown = 120;

/** The smallest failure found, with how to see it again and the end of its trace. */
export async function shrink(
  seed: number,
  invariant: Invariant,
  mutation?: SimulationOptions['mutation'],
): Promise<string> {
  let best: SimulationOptions = {
    seed,
    workers: 8,
    moments: 60,
    without: new Set<string>(),
    ...(mutation === undefined ? {} : { mutation }),
  };
  const fails = async (options: SimulationOptions): Promise<boolean> =>
    (await simulate(options)).failure?.invariant === invariant;
  const attempt = async (options: SimulationOptions): Promise<boolean> => {
    if (!(await fails(options))) return false;
    best = options;
    return true;
  };
  for (let again = true; again;) {
    again = false;
    for (let workers = 1; workers < (best.workers ?? 8); workers += 1)
      if (await attempt({ ...best, workers })) again = true;
    for (const kind of ['requests', ...Object.keys(faultRates)]) {
      if (best.without?.has(kind) === true) continue;
      if (await attempt({ ...best, without: new Set([...(best.without ?? []), kind]) }))
        again = true;
    }
    for (let moments = 0; moments < (best.moments ?? 60); moments += 1)
      if (await attempt({ ...best, moments })) again = true;
  }
  return shrunkReport(best, await simulate({ ...best, trace: true }));
}

function shrunkReport(options: SimulationOptions, result: SimulationResult): string {
  const left = ['requests', ...Object.keys(faultRates)].filter(
    (kind) => options.without?.has(kind) !== true,
  );
  return [
    `shrunk: at most ${options.workers} workers, ${options.moments} moments, faults: ${left.join(', ') || 'none'}`,
    ...result.trace.slice(-shown),
    result.failure?.message ?? 'it does not fail any more',
  ].join('\n');
}
