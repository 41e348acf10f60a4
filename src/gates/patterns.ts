/**
 * Path patterns of a plan, against paths of a git tree (relative, `/`-separated). One reading for deliverables, `owns`,
 * `references` and `protect`: a glob of `core/glob`; a pattern that ends in `/`, or names no glob, also stands for
 * everything below that folder. A leading `!` is a plain character, never a negation.
 */
import { matchesGlob, parseGlob } from '../core/glob.ts';

export type PathTest = (path: string) => boolean;

/** A test for one pattern. `ignoreCase` is for rules that must hold on file systems that ignore it. */
export function pathTest(pattern: string, { ignoreCase = false } = {}): PathTest {
  const fold = (text: string): string => (ignoreCase ? text.toLowerCase() : text);
  const written = fold(pattern).replace(/^(\.\/)+/, '');
  const folder = written.replace(/\/+$/, '');
  if (folder === '' || folder === '.') return () => true;
  const parsed = isGlob(folder) ? parseGlob(written.endsWith('/') ? `${folder}/**` : folder) : null;
  if (parsed !== null && !('problem' in parsed)) {
    // Names may hold brackets: what is written out exactly is meant exactly.
    return (path) => fold(path) === written || matchesGlob(parsed, fold(path));
  }
  return (path) => {
    const candidate = fold(path);
    return candidate === folder || candidate.startsWith(`${folder}/`);
  };
}

/** Which of the patterns a path matches first, or null. */
export function firstMatch(
  patterns: readonly string[],
  test: (pattern: string) => PathTest = pathTest,
): (path: string) => string | null {
  const tests = patterns.map((pattern) => ({ pattern, matches: test(pattern) }));
  return (path) => tests.find(({ matches }) => matches(path))?.pattern ?? null;
}

/** Whether the pattern has a part before its first glob: `src/**` has, `**` and `*.md` have not. */
export function isAnchored(pattern: string): boolean {
  const written = pattern.replace(/^(\.\/)+/, '');
  if (!isGlob(written)) return written !== '' && written !== '.' && written !== '/';
  return written.slice(0, written.search(globSign)).includes('/');
}

const globSign = /[*?{[]/;

function isGlob(pattern: string): boolean {
  return globSign.test(pattern);
}
