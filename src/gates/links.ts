/**
 * What in a tree could reach out of it. Git carries links to anywhere without complaint, so they are screened here, as
 * text, without following one.
 *
 * A target is accepted when it is some `..` that stay inside the tree, then names without a further `..`: a path of a
 * git tree never passes through a link of that tree, and every link that the rest passes through was screened itself.
 */

/** A file of a git tree. `link` is the target of a symbolic link, null for everything else. */
export interface TreeFile {
  readonly path: string;
  /** Git mode: 100644, 100755, 120000 (link) or 160000 (another repository). */
  readonly mode: string;
  readonly link: string | null;
}

/** Why the file may not be merged, as a sentence that names it; null when it may. */
export function strayFile(file: TreeFile): string | null {
  if (file.mode === '160000') {
    return `${file.path} is another repository: its files are not part of the commit. Remove its .git and commit the files.`;
  }
  if (file.mode !== '120000') return null;
  if (file.link === null) return `${file.path} is a link whose target cannot be read.`;
  const leads = leadsOut(file.path, file.link);
  return leads === null
    ? null
    : `${file.path} is a link to ${JSON.stringify(file.link)}, which ${leads}.`;
}

function leadsOut(path: string, target: string): string | null {
  if (target.startsWith('/')) return 'is absolute';
  let depth = path.split('/').length - 1;
  let named = false;
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (named) return 'goes up again after it went down';
      depth -= 1;
      if (depth < 0) return 'leads out of the tree';
      continue;
    }
    if (part.toLowerCase() === '.git') return 'leads into .git';
    named = true;
  }
  return null;
}
