/**
 * What a linked worktree shares with the user: configuration, hooks, refs. It is looked at when an attempt begins and
 * again when it has ended; what changed between is said, whoever did it, and what would keep the user's git from working
 * is put back.
 *
 * The record lies in czar's state. It says too what was put back, so that a second look after a kill says the same.
 */
import { createHash } from 'node:crypto';
import { lstat, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { filesBelow, readGitFile, readRefs, writeGitFile } from './clone-files.ts';
import { inMirror, inUserRepository } from '../context.ts';
import type { GitContext } from '../context.ts';
import { fields, git, output } from '../git.ts';

/** What was shared when an attempt began. */
export interface Shared {
  /** The configuration file as it stood. */
  readonly text: string;
  /** Its values by key; several of one key with line ends between. */
  readonly config: Readonly<Record<string, string>>;
  /** Hooks, and files that say what is ignored: what they hold, by name below the git directory. */
  readonly files: Readonly<Record<string, string>>;
  readonly refs: Readonly<Record<string, string>>;
  /** Bytes of reflogs that an agent's work may be named in. */
  readonly logs: Readonly<Record<string, number>>;
  /** What was put back since, each one sentence. */
  readonly mended: readonly string[];
}

/** Settings without which git refuses to work in the user's checkout, or works elsewhere. */
const vital: readonly string[] = ['core.bare', 'core.worktree'];

/** Records what is shared now under the name of a tree. */
export async function recordShared(context: GitContext, name: string): Promise<void> {
  const refs: Record<string, string> = {};
  for (const [ref, id] of await readRefs(context.commonDir))
    if (!/^refs\/(?:czar|remotes)\//.test(ref)) refs[ref] = id;
  const logs: Record<string, number> = {};
  for (const log of ['logs/refs/stash']) {
    logs[log] = (await readGitFile(context.commonDir, log))?.length ?? 0;
  }
  const text = (await readGitFile(context.commonDir, 'config')) ?? '';
  const [config, files] = [await configOf(context), await filesOf(context)];
  await write(context.state, name, { text, config, files, refs, logs, mended: [] });
}

/** What was recorded under a name; null when that is lost. */
export async function readShared(state: string, name: string): Promise<Shared | null> {
  try {
    const found: unknown = JSON.parse(await readFile(recordFile(state, name), 'utf8'));
    return isShared(found) ? found : null;
  } catch {
    return null;
  }
}

function isShared(found: unknown): found is Shared {
  if (typeof found !== 'object' || found === null) return false;
  const of = new Map(Object.entries(found));
  const all = (name: string, type: 'string' | 'number'): boolean => {
    const values: unknown = of.get(name);
    return (
      typeof values === 'object' &&
      values !== null &&
      Object.values(values).every((value) => typeof value === type)
    );
  };
  return (
    typeof of.get('text') === 'string' &&
    ['config', 'files', 'refs', 'mended'].every((name) => all(name, 'string')) &&
    Array.isArray(of.get('mended')) &&
    all('logs', 'number')
  );
}

/** What is different now, each one sentence; none when nothing was recorded. For use inside `failing`. */
export async function sharedChanges(context: GitContext, name: string): Promise<readonly string[]> {
  const before = await readShared(context.state, name);
  if (before === null) return [];
  const said = await mend(context, name, before);
  const keys = differing(before.config, await configOf(context));
  const others = keys.filter((key) => !vital.includes(key));
  const files = differing(before.files, await filesOf(context));
  const refs = await readRefs(context.commonDir);
  const gone = Object.entries(before.refs).filter(
    ([ref]) => /^refs\/(?:heads|tags)\//.test(ref) && !refs.has(ref),
  );
  if (others.length > 0)
    said.push(`settings of your repository changed while it was at work: ${others.join(', ')}`);
  if (files.length > 0)
    said.push(`files of your .git changed while it was at work: ${files.join(', ')}`);
  for (const [ref, id] of gone) {
    const command = ref.startsWith('refs/heads/') ? 'branch' : 'tag';
    const short = ref.replace(/^refs\/(?:heads|tags)\//, '');
    said.push(
      `the ${command} ${short} was deleted while it was at work: git ${command} ${short} ${id} brings it back`,
    );
  }
  if (before.refs['refs/stash'] !== refs.get('refs/stash'))
    said.push('your stash changed while it was at work');
  return said;
}

/** Puts back what keeps the user's git from working, and says what was put back since the attempt began. */
async function mend(context: GitContext, name: string, before: Shared): Promise<string[]> {
  const said = new Set(before.mended);
  const put = async (what: string, back: () => Promise<string | null>): Promise<void> => {
    const text = `${what} of your repository changed while it was at work, which keeps git from working there`;
    // First on record, so that a kill after it was put back does not hide that it was.
    said.add(`${text}: it was put back`);
    await write(context.state, name, { ...before, mended: [...said] });
    const why = await back();
    if (why === null) return;
    said.delete(`${text}: it was put back`);
    said.add(`${text}, and could not be put back: ${why}`);
  };
  const works = await git(['rev-parse', '--git-dir'], inUserRepository(context));
  if (works.code !== 0)
    await put('the configuration', async () => {
      const done = await writeGitFile(context.commonDir, 'config', before.text);
      return done ? null : 'something stands in its place';
    });
  const now = await configOf(context);
  for (const key of vital.filter((each) => before.config[each] !== now[each]))
    await put(key, () => putBack(context, key, before.config[key]));
  return [...said];
}

async function putBack(
  context: GitContext,
  key: string,
  value: string | undefined,
): Promise<string | null> {
  const how = value === undefined ? ['--unset-all', key] : ['--replace-all', key, value];
  const args = ['config', '--file', join(context.commonDir, 'config'), ...how];
  const done = await git(args, inMirror(context));
  return done.code === 0 ? null : done.stderr || done.trouble || 'git gave no reason';
}

async function configOf(context: GitContext): Promise<Record<string, string>> {
  const config: Record<string, string> = {};
  for (const name of ['config', 'config.worktree']) {
    const file = join(context.commonDir, name);
    const there = await lstat(file).catch(() => null);
    if (there?.isFile() !== true) continue;
    const args = ['config', '--file', file, '--no-includes', '--list', '-z'];
    for (const entry of fields(await output(args, inMirror(context)))) {
      const end = entry.indexOf('\n');
      const key = `${name === 'config' ? '' : `${name}: `}${end < 0 ? entry : entry.slice(0, end)}`;
      const value = end < 0 ? '' : entry.slice(end + 1);
      config[key] = config[key] === undefined ? value : `${config[key]}\n${value}`;
    }
  }
  return config;
}

async function filesOf({ commonDir }: GitContext): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  const names = [...(await filesBelow(commonDir, 'hooks')), 'info/exclude', 'info/attributes'];
  for (const name of names) {
    const text = await readGitFile(commonDir, name);
    const mode = (await lstat(join(commonDir, name)).catch(() => null))?.mode ?? 0;
    if (text !== null)
      files[name] = `${mode.toString(8)} ${createHash('sha256').update(text).digest('hex')}`;
  }
  return files;
}

function differing(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): readonly string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names.filter((name) => before[name] !== now[name]).sort();
}

async function write(state: string, name: string, shared: Shared): Promise<void> {
  const file = recordFile(state, name);
  await mkdir(join(state, 'trees'), { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify(shared));
  await rename(`${file}.new`, file);
}

function recordFile(state: string, name: string): string {
  return join(state, 'trees', `${name}.json`);
}
