/**
 * The identity of a change: equal for the same edits, also when other files or other places of the same file moved on
 * meanwhile. Line numbers and blob ids do not enter it; what binary files hold does.
 */
import { createHash } from 'node:crypto';
import { inMirror } from '../context.ts';
import type { GitContext } from '../context.ts';
import { output } from '../git.ts';

/** Identity of the change between two commits or trees, for all paths or for some; '' when equal. For use in `failing`. */
export async function patchOf(
  context: GitContext,
  options: { readonly from: string; readonly to: string; readonly paths?: readonly string[] },
): Promise<string> {
  const diff = [
    'diff-tree',
    '-r',
    '-p',
    '-U3',
    '--no-renames',
    '--no-ext-diff',
    '--no-textconv',
    '--full-index',
  ];
  const fixed = ['--diff-algorithm=myers', '--src-prefix=a/', '--dst-prefix=b/', '--no-color'];
  const paths = options.paths === undefined ? [] : ['--', ...options.paths];
  const text = await output(
    [...diff, ...fixed, options.from, options.to, ...paths],
    inMirror(context),
  );
  if (text.length === 0) return '';
  const hash = createHash('sha256');
  // One char a byte: the diff need not be text in any one encoding.
  const lines = text.toString('latin1').split('\n');
  let index = '';
  for (const line of lines) {
    if (line.startsWith('index ')) {
      index = line;
      continue;
    }
    if (line.startsWith('Binary files ')) hash.update(`${index}\n`);
    hash.update(line.startsWith('@@ ') ? '@@\n' : `${line}\n`, 'latin1');
  }
  return hash.digest('hex');
}
