/** Everything of the user's that must stay as it is (S13): one entry for each file and ref. */
import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { amendedFiles, type ReferencePlan } from './plans.ts';
import { git, linesOf, type Scratch } from './scratch.ts';

/** Files of the checkout, HEAD, index, configuration, hooks, logs and refs, but for what belongs to czar. */
export function fingerprint(scratch: Scratch): ReadonlyMap<string, string> {
  const prints = new Map<string, string>();
  // Linked worktrees of workers, and the reflogs of the run's branches, are czar's.
  const free = [
    '.git/objects',
    '.git/refs',
    '.git/czar',
    '.git/packed-refs',
    '.git/worktrees',
    '.git/logs/refs/heads/czar',
  ];
  const generated = ['worktrees', 'logs', 'runs'].map((name) => `.czar/${name}`);
  for (const file of filesBelow(scratch.repo, [...free, ...generated]))
    prints.set(file, printOf(join(scratch.repo, file)));
  for (const line of linesOf(
    git(scratch, scratch.repo, 'for-each-ref', '--format=%(refname) %(objectname)'),
  )) {
    const [ref = '', id = ''] = line.split(' ');
    if (!ref.startsWith('refs/czar/') && !ref.startsWith('refs/heads/czar/')) prints.set(ref, id);
  }
  return prints;
}

/** Entries of the files that the user writes when the plan is amended. */
export function amendedPrints(plan: ReferencePlan): readonly (readonly [string, string])[] {
  return Object.entries(amendedFiles(plan)).map(([path, text]) => [path, filePrint(0o644, text)]);
}

/** What differs, one line each. */
export function differences(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly string[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((name) => before.get(name) !== after.get(name))
    .map(
      (name) => `${name}: ${before.get(name) ?? 'none'} before, ${after.get(name) ?? 'none'} now`,
    );
}

function printOf(path: string): string {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return `link ${readlinkSync(path)}`;
  if (!stat.isFile()) return 'special';
  return filePrint(stat.mode, readFileSync(path));
}

function filePrint(mode: number, content: string | Buffer): string {
  return `${(mode & 0o777).toString(8)} ${createHash('sha256').update(content).digest('hex')}`;
}

function filesBelow(root: string, skip: readonly string[], folder = ''): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (skip.includes(path)) return [];
    return entry.isDirectory() ? filesBelow(root, skip, path) : [path];
  });
}
