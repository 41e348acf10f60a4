/** What a person is told of a landing whose checkout could not follow its branch. */
import { counted } from './figures.ts';

/** So many files are named. */
const most = 10;

/** Lines that name the files of a checkout that are not as what landed, and what brings them there; none for no files. */
export function notUpdatedLines(paths: readonly string[]): readonly string[] {
  if (paths.length === 0) return [];
  const named = paths.slice(0, most).map((path) => `checkout not updated: ${path}`);
  const rest = paths.length - named.length;
  return [
    ...named,
    ...(rest > 0 ? [`checkout not updated: ${counted(rest, 'file')} more`] : []),
    'git status shows them; git restore --staged --worktree PATH takes what landed, in the place of what is there',
  ];
}
