/**
 * Files that a gate's command names. Whoever changes one of them changes what the gate checks, so they are protected
 * like a setting.
 *
 * Reading of a command: words between shell punctuation, without `./`; also the right side of `=`, and relative to
 * each folder that the command changes into. Only files count: a command that names a folder or a glob (`tests/`)
 * names what workers are supposed to change.
 */
import { posix } from 'node:path';

const punctuation = /[\s;|&()<>"'`{}=,]+/;

/** Paths of `files` that one of the commands names. */
export function filesNamedBy(
  commands: readonly string[],
  files: Iterable<string>,
): ReadonlySet<string> {
  const named = new Set(commands.flatMap(pathsIn));
  const found = new Set<string>();
  for (const file of files) if (named.has(file)) found.add(file);
  return found;
}

function pathsIn(command: string): string[] {
  const words = command.split(punctuation).filter((word) => word !== '');
  const folders = ['.'];
  words.forEach((word, index) => {
    const previous = words[index - 1];
    if (previous === 'cd' || previous === '-C' || previous === '--prefix') folders.push(word);
  });
  return words.flatMap((word) => folders.map((folder) => posix.join(folder, word)));
}
