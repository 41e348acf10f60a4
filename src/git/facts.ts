/** Questions about commits of the mirror: what is in one, what differs between two. */
import { inMirror } from './context.ts';
import type { GitContext } from './context.ts';
import { failing, fields, git, gitFailure, output } from './git.ts';
import type { Failed } from './git.ts';
import { changes, commitsBeyond, mergeBases } from './history.ts';
import { changedPath, emptyTree } from './refs.ts';
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

type Entry = Omit<FileOfCommit, 'link'>;

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
    for (const entry of entries.map(entryOf)) {
      const link = entry.mode === '120000' ? await blob(context, entry.id) : null;
      files.push({ ...entry, link: link?.toString('utf8') ?? null });
    }
    return { kind: 'files', files };
  });
}

/** A line of `ls-tree -l`. */
function entryOf(text: string): Entry {
  const tab = text.indexOf('\t');
  const [mode = '', , id = '', size = '0'] = text.slice(0, tab).split(/ +/);
  return { path: text.slice(tab + 1), mode, id, size: Number(size) || 0 };
}

/** Files and folders at the top of a commit. */
export async function filesAtTop(
  context: GitContext,
  commit: string,
): Promise<{ readonly kind: 'files'; readonly files: readonly Entry[] } | Failed> {
  return failing(async () => {
    const args = ['ls-tree', '-z', '-l', '--full-tree', commit];
    return { kind: 'files', files: fields(await output(args, inMirror(context))).map(entryOf) };
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
      commits: await commitsBeyond(context, options.from, options.to),
      stat: (await output(stat, call)).toString('utf8'),
      text:
        options.text === true
          ? (await output(['diff-tree', '-p', ...shape, base, options.to], call)).toString('utf8')
          : null,
    };
  });
}

async function blob(context: GitContext, id: string): Promise<Buffer> {
  return output(['cat-file', 'blob', id], inMirror(context));
}
