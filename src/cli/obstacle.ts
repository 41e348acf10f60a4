/** Files that stand where czar needs folders of its own: said before anything is begun. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../plan/source.ts';
import { leadsOut } from '../daemon/leads-out.ts';
import type { Place } from '../daemon/place.ts';
import { exits } from './exit.ts';
import type { CliContext } from './verb.ts';

/** What czar writes to: never through a link to somewhere else. */
const generated: ReadonlySet<string> = new Set(['worktrees', 'runs', 'logs']);

/** Whether something is in the way of the home's folders of these names, or of the state; it has been said then. */
export function isObstructed(
  context: CliContext,
  place: Place,
  needs: { readonly folders: readonly string[]; readonly state?: boolean },
): boolean {
  const { path, name } = place.home;
  const wanted = [
    { path, shown: name },
    ...needs.folders.map((folder) => ({ path: join(path, folder), shown: `${name}/${folder}` })),
    ...(needs.state === true ? [{ path: place.state, shown: place.state }] : []),
  ];
  const found = wanted.find((one) => isInTheWay(one.path));
  const outside = needs.folders.find(
    (folder) => generated.has(folder) && leadsOut(join(path, folder)),
  );
  if (found === undefined && outside === undefined) return false;
  context.fail({
    exit: exits.refused,
    what:
      found === undefined
        ? `a link that leads out of ${name} stands where czar needs a folder`
        : 'something that is no folder stands where czar needs one',
    where: found?.shown ?? `${name}/${outside}`,
    next: 'move it away',
  });
  return true;
}

function isInTheWay(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
  } catch (error) {
    // Below something that is no folder: that one is named.
    return errorCode(error) !== 'ENOTDIR';
  }
}
