/**
 * Deleting a branch of the user's repository that czar made for a worker. Only where czar last put it, while nobody
 * stands on it, and when what it holds is reachable without it; done again it finds it gone.
 */
import { checkouts } from './checkouts.ts';
import { inUserRepository } from './context.ts';
import type { GitContext } from './context.ts';
import { quietly } from './deliver.ts';
import { git, output } from './git.ts';
import { publishedRef } from './publish.ts';
import { continuedRef, integrationRef, keptPrefix, readRef, readRefIn } from './refs.ts';

/** Deletes it when that loses nothing; whether it is gone. For use inside `failing`. */
export async function deleteOwnBranch(
  context: GitContext,
  of: { readonly run: string; readonly worker: string; readonly branch: string },
): Promise<boolean> {
  const place = inUserRepository(context);
  const ref = `refs/heads/${of.branch}`;
  const [found, published] = [
    await readRefIn(place, ref),
    await readRefIn(place, publishedRef(ref)),
  ];
  if (found === null || found !== published) return false;
  // One that was there before the run is the user's.
  if ((await readRef(context, continuedRef(of.run, of.worker))) !== null) return false;
  if ((await checkouts(context)).some((one) => one.ref === ref)) return false;
  const holders = [integrationRef(of.run), `${keptPrefix(of.run, of.worker)}/`];
  const holds = await output(
    ['for-each-ref', '--format=%(refname)', `--contains=${found}`, ...holders],
    place,
  );
  if (holds.toString('utf8').trim() === '') return false;
  const input = `delete ${ref}\0${found}\0delete ${publishedRef(ref)}\0${found}\0`;
  const args = [...quietly, 'update-ref', '--no-deref', '--stdin', '-z'];
  return (await git(args, { ...place, input })).code === 0;
}
