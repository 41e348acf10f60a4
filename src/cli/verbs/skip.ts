/** `czar skip`: the run goes on without a worker. */
import { skippedWith } from '../../core/edges.ts';
import { isRunLive } from '../../core/state.ts';
import type { Place } from '../../daemon/place.ts';
import { withReader } from '../../daemon/views/read.ts';
import { findPlace } from '../find-place.ts';
import { steer } from '../steering.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('<worker>', 'worker to leave out')
      .option('--satisfy', 'let those that depend on it start as if it were complete')
      .action(async (worker: string, options: { satisfy?: boolean }) => {
        const satisfy = options.satisfy === true;
        const place = findPlace(context);
        if (place === null) return;
        const lost = satisfy ? [] : await lostWith(worker, { place, named: context.options.run });
        await steer(
          context,
          (run) => ({ kind: 'skip', run, worker, satisfy }),
          lost.length === 0
            ? `${worker} is skipped.`
            : `${worker} is skipped, and with it ${lost.join(', ')}, for want of it.`,
        );
      });
  },
};

/** Who is skipped for want of the worker; nobody where that cannot be read, which is said by who steers. */
async function lostWith(
  worker: string,
  { place, named }: { readonly place: Place; readonly named: string | null },
): Promise<readonly string[]> {
  const read = await withReader(place, (reader) => reader.loadCurrent(named));
  if (!read.ok) return [];
  const runs = [...read.value.runs.values()];
  const run = named === null ? (runs.find(isRunLive) ?? runs.at(-1)) : read.value.runs.get(named);
  return run?.workers.has(worker) === true ? skippedWith(run, worker) : [];
}
