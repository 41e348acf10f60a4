/** Conflicts between branches that are under way, before anything is merged. */
import { existsSync } from 'node:fs';
import type { RunState } from '../../core/state.ts';
import type { Failed } from '../../git/git.ts';
import { predictConflicts } from '../../git/merging/predict-conflicts.ts';
import type { ConflictsDocument } from '../../report/conflicts-schema.ts';
import { inFlight, type InFlight } from './in-flight.ts';
import type { Place } from '../place.ts';
import { mirrorOf } from './run-facts.ts';

/** Compares all branches of these runs, each with each. */
export async function conflictsOf(
  place: Place,
  runs: readonly RunState[],
): Promise<{ readonly kind: 'found'; readonly document: ConflictsDocument } | Failed> {
  const git = mirrorOf(place);
  if (!existsSync(git.mirror)) return { kind: 'found', document: nothing };
  const flights = await Promise.all(runs.map(async (run) => inFlight(git, run)));
  const branches = flights.flatMap((flight) => flight.branches);
  const found = await predictConflicts(git, {
    tips: branches.map(({ tip }) => tip),
    borrowed: flights.flatMap((flight) => flight.borrowed),
  });
  if (found.kind === 'failed') return found;
  const names = ({ one, other }: { readonly one: number; readonly other: number }): InFlight[] =>
    [branches[one], branches[other]].flatMap((branch) => branch ?? []);
  return {
    kind: 'found',
    document: {
      v: 1,
      branches: branches.map((branch) => ({ ...branch })),
      conflicts: found.clashes.flatMap((clash) => {
        const both = names(clash);
        const workers = both.flatMap(({ worker }) => worker ?? []);
        // Two integration branches meet when both have landed.
        if (workers.length === 0) return [];
        return [{ branches: both.map(({ branch }) => branch), workers, files: [...clash.files] }];
      }),
      unknown: found.unknown.map((one) => ({
        branches: names(one).map(({ branch }) => branch),
        why: one.why,
      })),
    },
  };
}

const nothing: ConflictsDocument = { v: 1, branches: [], conflicts: [], unknown: [] };
