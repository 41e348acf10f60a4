/**
 * Uncommitted changes of a checkout that a run started from and its landing brings back: as long as a file is as the
 * snapshot has it, nothing of it would be lost, so it counts as if it had been committed.
 *
 * Works on a copy of the index alone. What differs from the snapshot, in the file or in what is staged, is not touched:
 * it stands in the way as any other change does.
 */
import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fields, git, line, output } from '../git.ts';
import type { GitCall } from '../git.ts';
import { changesIn, zero } from '../refs.ts';

/** Mode and id of an entry of a tree or index; null where there is none. */
type Entry = string | null;

/**
 * Puts such files into the index of `call` as they are, and gives the tree that the checkout then stands at: `onto` with
 * these files. For use inside `failing`; `onto` itself when there are none.
 */
export async function adoptChanges(of: {
  /** A call of git in the checkout, on a copy of its index. */
  readonly call: GitCall;
  readonly onto: string;
  readonly snapshot: string;
  /** The commit that lands. */
  readonly commit: string;
  /** The copy of the index; others are made beside it. */
  readonly index: string;
  readonly worktree: string;
  /** Where new objects go. */
  readonly objects: string;
}): Promise<string> {
  const { call, onto } = of;
  const landing = new Map<string, Entry>();
  for (const { path, to } of await changesIn(call, onto, of.commit)) landing.set(path, entry(to));
  const wanted = new Map<string, Entry>();
  const before = new Map<string, Entry>();
  for (const { path, from, to } of await changesIn(call, onto, of.snapshot)) {
    if (!landing.has(path)) continue;
    before.set(path, entry(from));
    wanted.set(path, entry(to));
  }
  if (wanted.size === 0) return onto;

  const staged = await entries(call);
  const changed = await unlike(of, wanted);
  // A landing that was killed has written some already.
  const landed = new Map([...changed].map((path) => [path, landing.get(path) ?? null]));
  const other = landed.size === 0 ? changed : await unlike(of, landed);
  const adopted = new Map<string, Entry>();
  for (const [path, is] of wanted) {
    const now = staged.get(path) ?? null;
    const known = now === before.get(path) || now === is || now === landing.get(path);
    if (known && !other.has(path))
      adopted.set(path, landed.has(path) ? (landed.get(path) ?? null) : is);
  }
  if (adopted.size === 0) return onto;
  await output(['update-index', '-z', '--index-info'], {
    ...call,
    input: indexInfo(adopted, onto),
  });
  return treeWith(of, adopted);
}

/** Which of the files are not as these entries. */
async function unlike(
  of: {
    readonly call: GitCall;
    readonly index: string;
    readonly worktree: string;
    readonly onto: string;
  },
  wanted: ReadonlyMap<string, Entry>,
): Promise<ReadonlySet<string>> {
  const there = new Map<string, Entry>();
  const found = new Set<string>();
  for (const [path, is] of wanted) {
    if (is !== null) there.set(path, is);
    else if ((await lstat(join(of.worktree, path)).catch(() => null)) !== null) found.add(path);
  }
  return onIndex(of, 'wanted', async (call) => {
    const input = indexInfo(there, of.onto);
    await output(['update-index', '-z', '--index-info'], { ...call, input });
    // Its exit code says only that some file differs.
    await git(['update-index', '-q', '--refresh'], call);
    for (const path of fields(await output(['diff-files', '-z', '--name-only'], call)))
      found.add(path);
    return found;
  });
}

async function treeWith(
  of: {
    readonly call: GitCall;
    readonly onto: string;
    readonly index: string;
    readonly objects: string;
  },
  adopted: ReadonlyMap<string, Entry>,
): Promise<string> {
  return onIndex(of, 'onto', async (call) => {
    const whole = ['-c', 'core.sparseCheckout=false', '-c', 'index.sparse=false'];
    await output([...whole, 'read-tree', of.onto], call);
    await output(['update-index', '-z', '--index-info'], {
      ...call,
      input: indexInfo(adopted, of.onto),
    });
    const env = { ...call.env, GIT_OBJECT_DIRECTORY: of.objects };
    return line([...whole, 'write-tree'], { ...call, env });
  });
}

/** Works on an index of its own, which is gone afterwards. */
async function onIndex<T>(
  of: { readonly call: GitCall; readonly index: string },
  name: string,
  work: (call: GitCall) => Promise<T>,
): Promise<T> {
  const index = `${of.index}.${name}`;
  try {
    await rm(index, { force: true });
    return await work({ ...of.call, env: { ...of.call.env, GIT_INDEX_FILE: index } });
  } finally {
    for (const file of [index, `${index}.lock`]) await rm(file, { force: true });
  }
}

async function entries(call: GitCall): Promise<ReadonlyMap<string, Entry>> {
  const found = new Map<string, Entry>();
  for (const each of fields(await output(['ls-files', '-s', '-z'], call))) {
    const tab = each.indexOf('\t');
    const [mode, id, stage] = each.slice(0, tab).split(' ');
    // One in conflict is like no entry that is wanted.
    found.set(each.slice(tab + 1), stage === '0' ? `${mode} ${id}` : 'in conflict');
  }
  return found;
}

function entry(of: { readonly mode: string; readonly id: string }): Entry {
  return /^0+$/.test(of.id) ? null : `${of.mode} ${of.id}`;
}

function indexInfo(of: ReadonlyMap<string, Entry>, like: string): string {
  const none = `0 ${zero(like)}`;
  return [...of].map(([path, is]) => `${is ?? none}\t${path}\0`).join('');
}
