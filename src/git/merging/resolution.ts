/**
 * What a resolution of a conflict did with the lines of the other side: which of them an automatic merge would have kept
 * or shown as a conflict, and are gone. The worker may have merged or rebased; only the commits are looked at.
 */
import type { RemovedLines } from '../../core/event-values.ts';
import { inMirror, type GitContext } from '../context.ts';
import { failing, output, type Failed } from '../git.ts';
import { changes, mergeBases } from '../history.ts';

export interface Resolution {
  readonly kind: 'compared';
  /** Commit of integration that the branch holds now. */
  readonly onto: string;
  readonly removed: readonly RemovedLines[];
}

/** Lines of one file that an event names. */
const linesNamed = 20;

/**
 * Compares the branch at `tip` with what it was in the conflict (`was`). None when it holds nothing of integration that
 * it did not hold then: nothing was resolved yet; and when it was without a common history, so that no merge could say
 * what it would have kept.
 */
export async function compareResolution(
  context: GitContext,
  {
    was,
    tip,
    integration,
  }: { readonly was: string; readonly tip: string; readonly integration: string },
): Promise<Resolution | { readonly kind: 'none' } | Failed> {
  return failing(async () => {
    const [onto] = await mergeBases(context, tip, integration);
    const [fork] = onto === undefined ? [] : await mergeBases(context, was, onto);
    if (onto === undefined || fork === undefined || onto === fork) return { kind: 'none' };
    const theirs = new Set((await changes(context, fork, onto)).map(({ path }) => path));
    const both = (await changes(context, onto, tip))
      .map(({ path }) => path)
      .filter((path) => theirs.has(path));
    const removed: RemovedLines[] = [];
    for (const path of both) {
      const came = await linesOf(context, fork, onto, path);
      const went = await linesOf(context, onto, tip, path);
      const lines = lost(came.added, went);
      if (lines.length === 0) continue;
      const more = Math.max(0, lines.length - linesNamed);
      removed.push({ path, lines: lines.slice(0, linesNamed), more });
    }
    return { kind: 'compared', onto, removed };
  });
}

interface ChangedLines {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Lines that the other side brought, that are gone, and that stand nowhere else in the file, indented or not. */
function lost(brought: readonly string[], { added, removed }: ChangedLines): readonly string[] {
  const theirs = counted(brought);
  const moved = counted(added);
  return removed
    .filter((text) => text.trim() !== '' && take(theirs, text) && !take(moved, text))
    .map((text) => text.slice(0, 300));
}

function counted(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of lines) counts.set(text.trim(), (counts.get(text.trim()) ?? 0) + 1);
  return counts;
}

function take(counts: Map<string, number>, text: string): boolean {
  const left = counts.get(text.trim()) ?? 0;
  if (left > 0) counts.set(text.trim(), left - 1);
  return left > 0;
}

async function linesOf(
  context: GitContext,
  from: string,
  to: string,
  path: string,
): Promise<ChangedLines> {
  const format = ['--unified=0', '--no-color', '--no-renames', '--no-ext-diff', '--no-textconv'];
  const args = ['diff-tree', '-p', ...format, from, to, '--', path];
  const text = (await output(args, inMirror(context))).toString();
  const found = { added: [] as string[], removed: [] as string[] };
  let [minus, plus] = [0, 0];
  for (const one of text.split('\n')) {
    const hunk = /^@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@/.exec(one);
    if (minus > 0 && one.startsWith('-')) {
      found.removed.push(one.slice(1));
      minus -= 1;
    } else if (plus > 0 && one.startsWith('+')) {
      found.added.push(one.slice(1));
      plus -= 1;
    } else if (hunk !== null) {
      minus = Number(hunk[1] ?? 1);
      plus = Number(hunk[2] ?? 1);
    }
  }
  return found;
}
