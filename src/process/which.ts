/** Finds the program that a name means, as execvp(3) would, but says what is wrong with it. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, resolve } from 'node:path';

/** What was found last, and when. */
let last: { readonly of: string; readonly file: string; readonly at: number } | null = null;
/** So long it is not looked for in the folders before its own again, milliseconds. */
const trustMs = 1_000;

/**
 * Absolute path of a program, or one sentence why it cannot be started. A name with a slash is taken from `cwd`, any
 * other is looked for in `path` (the value of PATH).
 */
export function which(options: {
  readonly program: string;
  readonly path: string;
  readonly cwd: string;
}): { readonly path: string } | { readonly missing: string } {
  const { program, path, cwd } = options;
  if (program === '') return { missing: 'the command has no program' };
  if (program.includes('/')) {
    const file = resolve(cwd, program);
    const problem = problemOf(file);
    return problem === null ? { path: file } : { missing: `${program} ${problem}` };
  }
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  const of = [program, path, folders.every((folder) => isAbsolute(folder)) ? '' : cwd].join('\0');
  const now = performance.now();
  const known = last?.of === of && now - last.at < trustMs ? last.file : null;
  if (known !== null && problemOf(known) === null) return { path: known };
  let found: string | null = null;
  for (const folder of folders) {
    const file = resolve(cwd, folder, program);
    const problem = problemOf(file);
    if (problem === null) {
      last = { of, file, at: now };
      return { path: file };
    }
    if (problem !== absent) found ??= `${file} ${problem}`;
  }
  return { missing: found ?? `${program} is not on the PATH` };
}

const absent = 'does not exist';

function problemOf(file: string): string | null {
  try {
    // Most folders of the path do not have it: told by a value, that costs a tenth of a throw.
    const stat = statSync(file, { throwIfNoEntry: false });
    if (stat === undefined) return absent;
    if (!stat.isFile()) return 'is not a file';
  } catch {
    return absent;
  }
  try {
    accessSync(file, constants.X_OK);
    return null;
  } catch {
    return 'is not executable';
  }
}
