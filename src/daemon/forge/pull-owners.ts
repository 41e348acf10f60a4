/** To whom what was said of a pull request goes: the worker that owns the lines, else the last one that was merged. */
import type { OwnedRemark } from '../../core/home-requests.ts';
import type { RunState } from '../../core/state.ts';
import { branchHolds } from '../../git/branches.ts';
import { ownersOfLines } from '../../git/merging/line-owners.ts';
import type { Remark } from './contract.ts';
import type { Place } from '../place.ts';
import { mirrorOf } from '../views/run-facts.ts';

/** Characters of one remark that are passed on. */
const longest = 32_000;

/** The remarks with their owners; a sentence when git could not tell, or nothing was merged. */
export async function ownedRemarks(
  place: Place,
  run: RunState,
  remarks: readonly Remark[],
): Promise<readonly OwnedRemark[] | { readonly failed: string }> {
  const merges = run.mergedOrder.flatMap((worker) => {
    const merged = run.workers.get(worker)?.merged ?? null;
    return merged === null ? [] : [{ worker, commit: merged.commit }];
  });
  const last = merges.at(-1)?.worker;
  if (last === undefined || run.tip === null) return { failed: 'nothing is merged' };
  const placed = remarks.flatMap(({ file, line }) => (file === null ? [] : [{ file, line }]));
  const found = await ownersOfLines(mirrorOf(place), { tip: run.tip, merges, places: placed });
  if (found.kind === 'failed') return { failed: found.error };
  const owners = found.owners.values();
  return remarks.map((remark) => {
    const owner = remark.file === null ? null : (owners.next().value ?? null);
    return { ...remark, text: remark.text.slice(0, longest), owner: owner ?? last };
  });
}

/** Whether what the run has merged, as the user's repository shows it, has the commit; a sentence when git cannot tell. */
export async function hasMerged(
  place: Place,
  run: RunState,
  commit: string,
): Promise<boolean | { readonly failed: string }> {
  const held = await branchHolds(mirrorOf(place), run.integration, commit);
  return typeof held === 'boolean' ? held : { failed: held.error };
}
