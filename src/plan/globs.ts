/**
 * Paths and globs as plan files may hold them: relative to the repository root, with `/`, inside it. A glob uses
 * `*`, `**`, `?`, `[…]` and `{a,b}`, and matches as picomatch does with `{dot: true}`.
 */
import picomatch from 'picomatch';

/** Longest path or glob, characters. */
const maxLength = 1024;

/** Why a text is no path inside the repository, or null. */
export function pathProblem(text: string): string | null {
  if (text === '') return 'an empty path';
  if (text.length > maxLength) return `a path of more than ${maxLength} characters`;
  if (/\p{Cc}/u.test(text)) return 'a path with a control character';
  if (text.includes('\\')) return 'a path with a backslash: write / between folders';
  if (text.startsWith('/') || /^[A-Za-z]:\//.test(text)) {
    return 'an absolute path: write it relative to the repository root';
  }
  if (text.startsWith('~/'))
    return 'a path in the home folder: write it relative to the repository root';
  const segments = text.split('/');
  if (segments.includes('..')) return 'a path with "..", which may lead out of the repository';
  if (segments[0]?.toLowerCase() === '.git') return 'a path in the .git folder';
  return null;
}

/** Why a text is no glob, or null. */
export function globProblem(text: string): string | null {
  const problem = pathProblem(text);
  if (problem !== null)
    return problem.replace('a path', 'a pattern').replace('absolute path', 'absolute pattern');
  if (text.startsWith('!')) return 'a negated pattern: list what is meant';
  if (/[@+*?!]\(/.test(text)) return 'an extended pattern such as @(a|b): write {a,b}';
  if (braceCount(text) > 256) return 'a pattern with very many alternatives';
  try {
    picomatch.makeRe(text, { dot: true, strictBrackets: true });
    return null;
  } catch {
    return 'a pattern with an unbalanced bracket or brace';
  }
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

/** Whether a text has characters that are special in a glob. */
export function isGlob(text: string): boolean {
  return /[*?[\]{}]/.test(text);
}

function braceCount(text: string): number {
  return text
    .split('{')
    .slice(1)
    .reduce((product, part) => product * part.split(/[,}]/).length, 1);
}
