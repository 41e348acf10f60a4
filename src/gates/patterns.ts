/**
 * Path patterns of a plan, against paths of a git tree (relative, `/`-separated). One reading for deliverables, `owns`,
 * `references` and `protect`: a glob is picomatch's with dot files included; a pattern that ends in `/`, or names no
 * glob, also stands for everything below that folder. A leading `!` is a plain character, never a negation.
 */
import picomatch from 'picomatch';

export type PathTest = (path: string) => boolean;

/** A test for one pattern. `ignoreCase` is for rules that must hold on file systems that ignore it. */
export function pathTest(pattern: string, { ignoreCase = false } = {}): PathTest {
  const written = pattern.replace(/^(\.\/)+/, '');
  const folder = written.replace(/\/+$/, '');
  if (folder === '' || folder === '.') return () => true;
  const options = { dot: true, nonegate: true, nocase: ignoreCase };
  const self = picomatch(folder, options);
  const below = picomatch(`${folder}/**`, options);
  if (isGlob(folder)) {
    const glob = written.endsWith('/') ? below : self;
    // Names may hold brackets: what is written out exactly is meant exactly.
    return (path) => path === written || glob(path);
  }
  const exact = ignoreCase ? folder.toLowerCase() : folder;
  return (path) => {
    const candidate = ignoreCase ? path.toLowerCase() : path;
    return candidate === exact || candidate.startsWith(`${exact}/`);
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
  return picomatch.scan(written).base !== '';
}

function isGlob(pattern: string): boolean {
  return picomatch.scan(pattern, { scanToEnd: true }).isGlob === true || /[*?{[]/.test(pattern);
}
