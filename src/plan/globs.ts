/**
 * Paths and globs as plan files may hold them: relative to the repository root, with `/`, inside it. A glob is one of
 * `core/glob`.
 */
import { parseGlob } from '../core/glob.ts';

/** Longest path or glob, characters. */
const maxLength = 1024;

/** Why a text is no path inside the repository, or null. */
export function pathProblem(text: string): string | null {
  if (text === '') return 'an empty path';
  if (text.length > maxLength) return `a path of more than ${maxLength} characters`;
  if (/\p{Cc}/u.test(text)) return 'a path with a control character';
  if (invisible.test(text)) return 'a path with an invisible character';
  if (text.includes('\\')) return 'a path with a backslash: write / between folders';
  if (text.startsWith('/') || /^[A-Za-z]:\//.test(text)) {
    return 'an absolute path: write it relative to the repository root';
  }
  if (text.startsWith('~/'))
    return 'a path in the home folder: write it relative to the repository root';
  const segments = text.split('/');
  if (segments.includes('..')) return 'a path with "..", which may lead out of the repository';
  if (segments.some((segment) => /^(?:\.git|git~1)$/i.test(segment)))
    return 'a path in a .git folder';
  return null;
}

/** What reorders or hides text, and halves of characters. Joiners stay: names in some scripts need them. */
const invisible =
  /[\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Cs}|\p{Noncharacter_Code_Point}/u;

/** Why a text is no glob, or null. */
export function globProblem(text: string): string | null {
  const problem = pathProblem(text);
  if (problem !== null)
    return problem.replace('a path', 'a pattern').replace('absolute path', 'absolute pattern');
  if (text.startsWith('!')) return 'a negated pattern: list what is meant';
  if (/[@+*?!]\(/.test(text)) return 'an extended pattern such as @(a|b): write {a,b}';
  const parsed = parseGlob(text);
  return 'problem' in parsed ? `a pattern ${parsed.problem}` : null;
}

/** A path or glob in the form in which it is kept: without a leading `./` and doubled slashes. */
export function normalPath(text: string): string {
  const clean = text.replace(/\/{2,}/g, '/').replace(/^(?:\.\/)+/, '');
  return clean === '' ? '.' : clean;
}

/** A glob of `owns` or `references`: as `normalPath`, and a folder (`docs/`) means everything in it. */
export function normalGlob(text: string): string {
  const clean = normalPath(text);
  return clean.endsWith('/') ? `${clean}**` : clean;
}
