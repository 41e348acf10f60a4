/** Questions about commits of the mirror: what is in one, what differs between two. */
import { inMirror } from './context.ts';
import type { GitContext } from './context.ts';
import { failing, fields, git, gitFailure, line, output } from './git.ts';
import type { Failed } from './git.ts';
import { changedPath, changes, emptyTree, mergeBases, readRef } from './refs.ts';
import type { ChangedPath } from '../core/events.ts';

export interface FileOfCommit {
  readonly path: string;
  /** 100644, 100755, 120000 (link) or 160000 (another repository). */
  readonly mode: string;
  readonly id: string;
  /** Bytes; 0 for another repository. */
  readonly size: number;
  /** Target of a link, null for everything else. */
  readonly link: string | null;
}

/** All files of a commit. */
export async function filesOf(
  context: GitContext,
  commit: string,
): Promise<{ readonly kind: 'files'; readonly files: readonly FileOfCommit[] } | Failed> {
  return failing(async () => {
    const entries = fields(
      await output(['ls-tree', '-r', '-z', '-l', '--full-tree', commit], inMirror(context)),
    );
    const files: FileOfCommit[] = [];
    for (const entry of entries) {
      const tab = entry.indexOf('\t');
      const [mode = '', , id = '', size = '0'] = entry.slice(0, tab).split(/ +/);
      const link = mode === '120000' ? await blob(context, id) : null;
      files.push({
        path: entry.slice(tab + 1),
        mode,
        id,
        size: Number(size) || 0,
        link: link?.toString('utf8') ?? null,
      });
    }
    return { kind: 'files', files };
  });
}

/** Which of the paths (files or folders) a commit does not have. Globs are not understood: see `filesOf`. */
export async function missingPaths(
  context: GitContext,
  options: { readonly commit: string; readonly paths: readonly string[] },
): Promise<{ readonly kind: 'missing'; readonly paths: readonly string[] } | Failed> {
  return failing(async () => {
    const missing: string[] = [];
    for (const path of options.paths) {
      const name = path.replace(/^(\.\/)+/, '').replace(/\/+$/, '');
      const found = await git(['cat-file', '-e', `${options.commit}:${name}`], inMirror(context));
      if (found.trouble !== null) throw gitFailure(['cat-file'], found);
      if (found.code !== 0) missing.push(path);
    }
    return { kind: 'missing', paths: missing };
  });
}

/** Content of a file of a commit, or null when the commit has none there. */
export async function readFileOf(
  context: GitContext,
  options: { readonly commit: string; readonly path: string },
): Promise<{ readonly kind: 'content'; readonly content: Buffer | null } | Failed> {
  return failing(async () => {
    const id = await readRef(context, `${options.commit}:${options.path}`);
    return { kind: 'content', content: id === null ? null : await blob(context, id) };
  });
}

export interface Difference {
  readonly kind: 'difference';
  readonly changed: readonly ChangedPath[];
  readonly created: number;
  readonly modified: number;
  readonly deleted: number;
  /** Commits of `to` that `from` has not. */
  readonly commits: number;
  /** `git diff --stat`, as text. */
  readonly stat: string;
  /** The unified diff; null unless asked for. */
  readonly text: string | null;
}

/** What `to` brings over the point where it left `from` (`from...to`). */
export async function difference(
  context: GitContext,
  options: {
    readonly from: string;
    readonly to: string;
    readonly text?: boolean;
    readonly width?: number;
  },
): Promise<Difference | Failed> {
  return failing(async () => {
    const [base = emptyTree(options.to)] = await mergeBases(context, options.from, options.to);
    const changed = await changes(context, base, options.to);
    const shape = ['-r', '--no-ext-diff', '--no-textconv', '-M'];
    const stat = ['diff-tree', ...shape, `--stat=${options.width ?? 80}`, base, options.to];
    const call = inMirror(context);
    return {
      kind: 'difference',
      changed: changed.map(changedPath),
      created: changed.filter((change) => change.status === 'A').length,
      modified: changed.filter((change) => change.status === 'M' || change.status === 'T').length,
      deleted: changed.filter((change) => change.status === 'D').length,
      commits: Number(await line(['rev-list', '--count', `${options.from}..${options.to}`], call)),
      stat: (await output(stat, call)).toString('utf8'),
      text:
        options.text === true
          ? (await output(['diff-tree', '-p', ...shape, base, options.to], call)).toString('utf8')
          : null,
    };
  });
}

export interface CommitFacts {
  readonly id: string;
  readonly parents: readonly string[];
  readonly author: string;
  /** Committer's time, milliseconds since 1970. */
  readonly at: number;
  readonly subject: string;
}

/** Commits of `to` that `from` has not, newest first, at most `limit`. */
export async function commitsBetween(
  context: GitContext,
  options: { readonly from: string; readonly to: string; readonly limit?: number },
): Promise<{ readonly kind: 'commits'; readonly commits: readonly CommitFacts[] } | Failed> {
  return failing(async () => {
    const format = '--format=%H%x00%P%x00%an%x00%ct%x00%s';
    const args = [
      'log',
      '-z',
      format,
      `--max-count=${options.limit ?? 1000}`,
      `${options.from}..${options.to}`,
      '--',
    ];
    const parts = fields(await output(args, inMirror(context)));
    const commits: CommitFacts[] = [];
    for (let i = 0; i + 4 < parts.length; i += 5) {
      const [id = '', parents = '', author = '', at = '', subject = ''] = parts.slice(i, i + 5);
      commits.push({
        id,
        parents: parents.split(' ').filter(Boolean),
        author,
        at: Number(at) * 1000,
        subject,
      });
    }
    return { kind: 'commits', commits };
  });
}

/** Commit that a name of the user's repository stands for, or null: used for bases and targets. */
export async function resolveCommit(
  context: GitContext,
  name: string,
): Promise<{ readonly kind: 'resolved'; readonly commit: string | null } | Failed> {
  return failing(async () => {
    const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
    const found = await git(args, { cwd: context.root, signal: context.signal });
    if (found.trouble !== null) throw gitFailure(args, found);
    return {
      kind: 'resolved',
      commit: found.code === 0 ? found.stdout.toString('utf8').trim() : null,
    };
  });
}

async function blob(context: GitContext, id: string): Promise<Buffer> {
  return output(['cat-file', 'blob', id], inMirror(context));
}
