import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { scratchRepository } from '../../../test/support/git-fixture.ts';
import type { Scratch } from '../../../test/support/git-fixture.ts';
import { OpenMirror } from '../mirror/open-mirror.ts';
import { quickMerge } from './quick-merge.ts';

/** What a path holds: a file by number of its content, with its mode. */
interface File {
  readonly mode: '100644' | '100755' | '120000';
  readonly content: number;
}

type Files = Readonly<Record<string, File>>;

/** One change to the files of a side. */
type Step =
  | { readonly kind: 'write'; readonly path: string; readonly file: File }
  | { readonly kind: 'remove' | 'chmod' | 'edit'; readonly nth: number }
  /** A file, or everything below a folder, gets another name; with `edited` its content changes a little. */
  | { readonly kind: 'move'; readonly nth: number; readonly to: string; readonly edited: boolean }
  | { readonly kind: 'move-folder'; readonly nth: number; readonly to: string };

const folders = ['', 'a/', 'b/', 'a/deep/', 'b/deep/', 'a/deep/er/', 'c/'];
const names = ['one', 'two', 'three', 'Two', 'x.y', 'a', 'deep'];
const paths = folders.flatMap((folder) => names.map((name) => folder + name));

const file = fc.record({
  mode: fc.constantFrom('100644', '100644', '100644', '100755', '120000'),
  content: fc.nat({ max: 11 }),
});
const nth = fc.nat({ max: 40 });
const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('write'), path: fc.constantFrom(...paths), file }),
    fc.record({ kind: fc.constantFrom('remove', 'chmod', 'edit'), nth }),
    fc.record({
      kind: fc.constant('move'),
      nth,
      to: fc.constantFrom(...paths),
      edited: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('move-folder'), nth, to: fc.constantFrom(...folders.slice(1)) }),
  ),
  { minLength: 1, maxLength: 5 },
);
const start = fc.array(fc.tuple(fc.constantFrom(...paths), file), { minLength: 4, maxLength: 24 });
const triple = fc.record({ start, ours: steps, theirs: steps });

/** Contents of 4 families: within one they are so alike that git takes one for a rename of the other. */
function text(content: number): string {
  const family = content % 4;
  const lines = Array.from({ length: 20 }, (_, line) => `line ${line} of family ${family}`);
  lines[Math.floor(content / 4) * 5 + 1] = `member ${content}`;
  return `${lines.join('\n')}\n`;
}

function set(files: Record<string, File>, path: string, file: File): void {
  // A path takes the place of a file on its way, and of everything below it.
  for (const other of Object.keys(files)) {
    if (path.startsWith(`${other}/`) || other.startsWith(`${path}/`)) delete files[other];
  }
  files[path] = file;
}

function applied(start: Files, steps: readonly Step[]): Files {
  const files: Record<string, File> = { ...start };
  for (const step of steps) {
    const all = Object.keys(files).sort();
    const path = 'nth' in step ? all[step.nth % all.length] : step.path;
    const found = path === undefined ? undefined : files[path];
    if (step.kind === 'write') set(files, step.path, step.file);
    if (path === undefined || found === undefined) continue;
    const edited = { ...found, content: (found.content + 4) % 12 };
    if (step.kind === 'remove') delete files[path];
    if (step.kind === 'edit') files[path] = edited;
    if (step.kind === 'chmod')
      files[path] = { ...found, mode: found.mode === '100644' ? '100755' : '100644' };
    if (step.kind === 'move') {
      delete files[path];
      set(files, step.to, step.edited ? edited : found);
    }
    if (step.kind === 'move-folder') {
      const folder = path.slice(0, path.lastIndexOf('/') + 1);
      if (folder === '' || step.to.startsWith(folder)) continue;
      for (const below of all.filter((each) => each.startsWith(folder))) {
        const moved = files[below];
        delete files[below];
        if (moved !== undefined) set(files, step.to + below.slice(folder.length), moved);
      }
    }
  }
  return files;
}

/** Writes all sides as commits in one call: `base-N`, and on it `ours-N` and `theirs-N`. */
function importSides(
  scratch: Scratch,
  cases: readonly { readonly start: Files; readonly ours: Files; readonly theirs: Files }[],
): void {
  const parts: string[] = [];
  const commit = (name: string, files: Files, parent: string | null): void => {
    parts.push(`commit refs/heads/${name}\ncommitter x <x@x> 1800000000 +0000\ndata 1\nx\n`);
    if (parent !== null) parts.push(`from refs/heads/${parent}\n`);
    parts.push('deleteall\n');
    for (const [path, { mode, content }] of Object.entries(files)) {
      const data = mode === '120000' ? `link-${content}` : text(content);
      parts.push(`M ${mode} inline ${path}\ndata ${data.length}\n${data}\n`);
    }
  };
  cases.forEach(({ start, ours, theirs }, n) => {
    commit(`base-${n}`, start, null);
    commit(`ours-${n}`, ours, `base-${n}`);
    commit(`theirs-${n}`, theirs, `base-${n}`);
  });
  scratch.feed(parts.join(''), 'fast-import', '--quiet', '--force');
}

/** What git makes of pairs of commits: a tree, or null for a conflict. */
function mergedByGit(
  scratch: Scratch,
  pairs: readonly (readonly [base: string, tip: string])[],
): readonly (string | null)[] {
  const settings = ['-c', 'merge.directoryRenames=conflict', '-c', 'merge.renames=true'];
  const args = ['merge-tree', '--write-tree', '--no-messages', '--stdin'];
  const input = pairs.map((pair) => `${pair.join(' ')}\n`).join('');
  const said = scratch.feed(input, ...settings, ...args);
  // For each: 1 or 0 (conflict), the tree, stages of what is in conflict, and an empty field.
  const fields = said.split('\0');
  let at = 0;
  return pairs.map(() => {
    const [clean, tree = ''] = fields.slice(at, at + 2);
    at += 2;
    while (at < fields.length && !/^[01]$/.test(fields[at] ?? '')) at += 1;
    return clean === '1' ? tree : null;
  });
}

/** With CZAR_EVERY_INSTANT=1 ten times as many merges. */
const often = process.env['CZAR_EVERY_INSTANT'] === '1' ? 10 : 1;

for (const { objectFormat, runs } of [
  { objectFormat: 'sha1', runs: 240 * often },
  { objectFormat: 'sha256', runs: 40 * often },
] as const) {
  test(`a quick merge is the merge that git makes (${objectFormat})`, async () => {
    using scratch = scratchRepository({ objectFormat });
    const cases = fc.sample(triple, { numRuns: runs, seed: 20261129 }).map((sample) => {
      const start: Record<string, File> = {};
      for (const [path, content] of sample.start) set(start, path, content);
      return {
        start,
        ours: applied(start, sample.ours),
        theirs: applied(start, sample.theirs),
      };
    });
    importSides(scratch, cases);
    const listed = scratch.git('for-each-ref', '--format=%(refname:short) %(objectname)');
    const ids = new Map(listed.split('\n').map((line) => [line.split(' ')[0], line.split(' ')[1]]));
    await using mirror = new OpenMirror(join(scratch.root, '.git'));
    const quick: { n: number; pair: readonly [string, string]; tree: string }[] = [];
    for (const n of cases.keys()) {
      const [base = '', tip = ''] = [ids.get(`ours-${n}`), ids.get(`theirs-${n}`)];
      const tree = await quickMerge(mirror, { base, tip });
      if (tree !== null) quick.push({ n, pair: [base, tip], tree });
    }
    const expected = mergedByGit(
      scratch,
      quick.map(({ pair }) => pair),
    );
    for (const [index, { n, tree }] of quick.entries())
      assert.equal(tree, expected[index], JSON.stringify(cases[n], null, 1));
    // The cases must be worth something: both ways are taken often.
    assert.ok(quick.length > runs / 5 && quick.length < runs * 0.8, `${quick.length} of ${runs}`);
    scratch.git('fsck', '--full', '--strict', '--no-dangling');
  });
}
