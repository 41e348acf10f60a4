/**
 * Moving kept work to the name that it has once a person wants it no more, in the mirror and in the user's repository.
 * It has one of its names at every moment; done again it finds what was done.
 */
import { inMirror, inUserRepository, reach } from '../context.ts';
import type { GitContext } from '../context.ts';
import { quietly } from '../deliver.ts';
import { output } from '../git.ts';
import { moveRefIn, readRef } from '../refs.ts';

/** Prefix of the refs of what was dropped. */
export const droppedPrefix = 'refs/czar/dropped/';

/** Takes the kept names from what stands under its dropped name in the user's repository. For use inside `failing`. */
export async function moveDropped(
  context: GitContext,
  refs: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [to, commit] of Object.entries(refs)) {
    if (!to.startsWith(droppedPrefix)) continue;
    const ref = keptRef(to);
    await reach(context, 'drop:before-mirror');
    const kept = (await readRef(context, ref)) === commit ? `delete ${ref}\0${commit}\0` : '';
    const input = `update ${to}\0${commit}\0\0${kept}`;
    await output([...quietly, 'update-ref', '--no-deref', '--stdin', '-z'], {
      ...inMirror(context),
      input,
    });
    await reach(context, 'drop:after-mirror');
    // Work that was kept under the name again meanwhile stays.
    await moveRefIn(inUserRepository(context), { ref, from: commit, to: null });
    await reach(context, 'drop:after-repository');
  }
}

function keptRef(dropped: string): string {
  return dropped.replace(droppedPrefix, 'refs/czar/kept/');
}
