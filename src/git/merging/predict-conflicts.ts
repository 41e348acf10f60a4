/**
 * Which branches would be in conflict if they were merged, two by two, as merging would find it: without a git where
 * that is beyond doubt, all others by one git. Reads only: what git makes on the way goes into a folder that is deleted.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { relate } from './ancestry.ts';
import { inMirror } from '../context.ts';
import type { GitContext } from '../context.ts';
import { failing, git, gitFailure } from '../git.ts';
import type { Failed } from '../git.ts';
import { folded, withFolders } from './merge-check.ts';
import { borrowing, OpenMirror } from '../mirror/open-mirror.ts';
import { mergeByPath, treeChanges, type MergeTrees, type PathChange } from './tree-merge.ts';

/** Branches by their place in the list that was asked about. */
export interface Clash {
  readonly one: number;
  readonly other: number;
  /** Files in conflict; none when the histories share nothing. */
  readonly files: readonly string[];
}

export interface Prediction {
  readonly kind: 'predicted';
  readonly clashes: readonly Clash[];
  /** Pairs that git could not merge and did not refuse either: why. */
  readonly unknown: readonly {
    readonly one: number;
    readonly other: number;
    readonly why: string;
  }[];
}

type Pair = Pick<Clash, 'one' | 'other'>;

/** Looks at every pair of commits. `borrowed` are folders of objects beside those of the mirror. */
export async function predictConflicts(
  context: GitContext,
  options: { readonly tips: readonly string[]; readonly borrowed: readonly string[] },
): Promise<Prediction | Failed> {
  return failing(async () => {
    const { tips, borrowed } = options;
    await using mirror = new OpenMirror(context.mirror, borrowed);
    const changesOf = knownChanges(mirror);
    // Only whether there is a merged tree counts: none is put together.
    const trees: MergeTrees = { tree: (id) => mirror.tree(id), add: () => '' };
    const whole = mirror.isWhole();
    const folding: Clash[] = [];
    const open: Pair[] = [];
    for (const [one, tip] of tips.entries()) {
      for (const [after, second] of tips.slice(one + 1).entries()) {
        const pair = { one, other: one + 1 + after };
        const sides = whole ? await sidesOf(mirror, tip, second) : null;
        if (tip === second || sides === 'one holds the other') continue;
        if (sides === null) {
          open.push(pair);
          continue;
        }
        const mine = await changesOf(sides.from, sides.ours);
        const yours = await changesOf(sides.from, sides.theirs);
        const files = foldingNames(mine, yours);
        if (files.length > 0) folding.push({ ...pair, files });
        else if (!areApart(mine, yours) && (await mergeByPath(trees, sides)) === null)
          open.push(pair);
      }
    }
    const asked = open.length === 0 ? none : await askGit(context, { ...options, pairs: open });
    const clashes = [...asked.clashes, ...folding].sort(
      (a, b) => a.one - b.one || a.other - b.other,
    );
    return { ...asked, clashes };
  });
}

const none: Prediction = { kind: 'predicted', clashes: [], unknown: [] };

/** Trees of two commits and of their only common ancestor. */
interface Sides {
  readonly from: string;
  readonly ours: string;
  readonly theirs: string;
}

/** Null when git must look. */
async function sidesOf(
  mirror: OpenMirror,
  one: string,
  other: string,
): Promise<Sides | 'one holds the other' | null> {
  const relation = await relate((id) => mirror.commit(id), one, other);
  const [base, second] = relation?.bases ?? [];
  if (base === one || base === other) return 'one holds the other';
  if (base === undefined || second !== undefined) return null;
  const commits = await Promise.all([base, one, other].map(async (id) => mirror.commit(id)));
  const [from, ours, theirs] = commits.map((commit) => commit?.tree);
  return from === undefined || ours === undefined || theirs === undefined
    ? null
    : { from, ours, theirs };
}

/** What one side changed since the common ancestor. */
interface SideChanges {
  /** Files that it wrote, and the folders above them; null when it did more than write files. */
  readonly wrote: {
    readonly files: ReadonlySet<string>;
    readonly folders: ReadonlySet<string>;
  } | null;
  /** New names of files and folders, by how a file system sees them that folds case and Unicode form. */
  readonly names: ReadonlyMap<string, string>;
}

/** The changes between two trees, each looked up once. */
function knownChanges(mirror: OpenMirror): (from: string, tree: string) => Promise<SideChanges> {
  const known = new Map<string, Promise<SideChanges>>();
  return (from, tree) => {
    const key = `${from} ${tree}`;
    const found = known.get(key) ?? treeChanges(mirror, from, tree).then(sideChanges);
    known.set(key, found);
    return found;
  };
}

function sideChanges(changes: readonly PathChange[] | null): SideChanges {
  if (changes === null) return { wrote: null, names: new Map() };
  const names = changes
    .filter(({ before }) => before === undefined)
    .map(({ path }) => Buffer.from(path, 'latin1').toString('utf8'));
  const files = new Set(changes.map(({ path }) => path));
  const folders = new Set(withFolders([...files]).filter((path) => !files.has(path)));
  const wroteOnly = changes.every(({ after }) => after !== undefined && after.mode !== '160000');
  return {
    wrote:
      wroteOnly && !changes.some(({ before }) => before?.mode === '160000')
        ? { files, folders }
        : null,
    names: new Map(withFolders(names).map((path) => [folded(path), path])),
  };
}

/** Whether both wrote files, and none where the other did: such a merge is clean, and no rename can change it. */
function areApart({ wrote: mine }: SideChanges, { wrote: yours }: SideChanges): boolean {
  if (mine === null || yours === null) return false;
  return (
    apart(mine.files, yours.files) &&
    apart(mine.files, yours.folders) &&
    apart(mine.folders, yours.files)
  );
}

function apart(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const one of some) if (others.has(one)) return false;
  return true;
}

/** New names of one side that some file systems take for another new name of the other; git calls that a clean merge. */
function foldingNames(
  { names: mine }: SideChanges,
  { names: yours }: SideChanges,
): readonly string[] {
  const found: string[] = [];
  for (const [fold, path] of mine) {
    const same = yours.get(fold);
    if (same !== undefined && same !== path) found.push(path, same);
  }
  return [...new Set(found)].sort();
}

/** One git merges all that is left. */
async function askGit(
  context: GitContext,
  of: {
    readonly tips: readonly string[];
    readonly borrowed: readonly string[];
    readonly pairs: readonly Pair[];
  },
): Promise<Prediction> {
  const { tips, pairs } = of;
  const made = await mkdtemp(join(tmpdir(), 'czar-conflicts-'));
  try {
    const call = {
      ...inMirror(context),
      env: {
        ...borrowing([join(context.mirror, 'objects'), ...of.borrowed]),
        GIT_OBJECT_DIRECTORY: made,
      },
    };
    const args = [...settings, 'merge-tree', '--write-tree', '-z', '--stdin'];
    const input = pairs.map(({ one, other }) => `${tips[one]} ${tips[other]}\n`).join('');
    const all = await git(args, { ...call, input });
    if (all.trouble === null && all.code === 0)
      return merged(pairs, all.stdout.toString('utf8').split('\0'));
    // An older git takes one pair at a time, and one that fails tells nothing of the others.
    return await oneByOne(pairs, async ({ one, other }) => {
      const single = ['merge-tree', '--write-tree', '-z', tips[one] ?? '', tips[other] ?? ''];
      const result = await git([...settings, ...single], call);
      if (result.trouble === null && result.code === 0) return null;
      if (result.trouble === null && result.code === 1)
        return readOne(result.stdout.toString('utf8').split('\0'), { from: 1, clean: false }).files;
      if (/unrelated histories/.test(result.stderr)) return [];
      throw gitFailure(single, result);
    });
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** As merging has them (`merge.ts`). */
const settings = [
  'merge.directoryRenames=conflict',
  'merge.conflictStyle=merge',
  'merge.renames=true',
].flatMap((value) => ['-c', value]);

async function oneByOne(
  pairs: readonly Pair[],
  ask: (pair: Pair) => Promise<readonly string[] | null>,
): Promise<Prediction> {
  const clashes: Clash[] = [];
  const unknown: { one: number; other: number; why: string }[] = [];
  for (const pair of pairs) {
    try {
      const files = await ask(pair);
      if (files !== null) clashes.push({ ...pair, files });
    } catch (error) {
      unknown.push({ ...pair, why: error instanceof Error ? error.message : String(error) });
    }
  }
  return { kind: 'predicted', clashes, unknown };
}

/** The answers, one for each pair: `1` or `0`, then what `merge-tree -z` says of one merge (git-merge-tree, "INPUT FORMAT"). */
function merged(pairs: readonly Pair[], fields: readonly string[]): Prediction {
  const clashes: Clash[] = [];
  let at = 0;
  for (const pair of pairs) {
    const clean = fields[at] === '1';
    const { files, end } = readOne(fields, { from: at + 2, clean });
    if (!clean) clashes.push({ ...pair, files });
    at = end;
  }
  return { kind: 'predicted', clashes, unknown: [] };
}

/**
 * From the stages on: `mode id stage\tpath`, an empty field; unless it is clean then messages (count, paths, type, text)
 * and an empty field.
 */
function readOne(
  fields: readonly string[],
  of: { readonly from: number; readonly clean: boolean },
): { readonly files: readonly string[]; readonly end: number } {
  const files = new Set<string>();
  let at = of.from;
  for (; at < fields.length && fields[at] !== ''; at += 1) {
    const entry = fields[at] ?? '';
    files.add(entry.slice(entry.indexOf('\t') + 1));
  }
  at += 1;
  if (of.clean) return { files: [], end: at };
  for (; at < fields.length && fields[at] !== '';) {
    const count = Number(fields[at]);
    if (!Number.isInteger(count)) break;
    const type = fields[at + 1 + count] ?? '';
    if (type.startsWith('CONFLICT'))
      for (const path of fields.slice(at + 1, at + 1 + count)) files.add(path);
    at += 3 + count;
  }
  return { files: [...files].sort(), end: at + 1 };
}
