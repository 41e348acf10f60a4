/** What a worker's branch brings over the integration branch that it started from, or was merged into. */
import type { RunState, WorkerState } from '../../core/state.ts';
import { gitContext } from '../../git/context.ts';
import { difference, type Difference } from '../../git/facts.ts';
import type { Place } from '../place.ts';

/** The difference; null when nothing of the worker was collected yet; a sentence when git could not tell. */
export async function workerDiff(
  place: Place,
  options: {
    readonly run: RunState;
    readonly worker: WorkerState;
    /** Cells for the table of files. */
    readonly width: number;
  },
): Promise<Difference | { readonly problem: string } | null> {
  const { run, worker, width } = options;
  const { merged, work } = worker;
  if (work === null) return null;
  const from = merged === null ? (run.tip ?? run.base.commit) : `${merged.commit}^1`;
  const context = gitContext({
    root: place.root,
    commonDir: place.commonDir,
    home: place.home.path,
  });
  const found = await difference(context, { from, to: work.tip, text: true, width });
  return found.kind === 'difference' ? found : { problem: found.error };
}
