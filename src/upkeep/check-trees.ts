/** The mirror, and every folder of czar's that may have been left behind: working trees, check trees, trees in the making. */
import { existsSync } from 'node:fs';
import { readFile, readdir, realpath, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { compare } from '../core/graph.ts';
import { isRunLive, type RepositoryState } from '../core/state.ts';
import { isFinal } from '../core/lifecycle.ts';
import { checkPool, reclaimTrees, treeOf } from '../daemon/workplace.ts';
import { deliver } from '../git/deliver.ts';
import { emptyTrash } from '../git/trees/discard.ts';
import { ownPrefix } from '../git/checkouts.ts';
import { failing, git, output } from '../git/git.ts';
import { inMirror, inUserRepository } from '../git/context.ts';
import { listRefs } from '../git/refs.ts';
import { emptyPool, spareName } from '../git/trees/spare-trees.ts';
import { leftIn, removeStaleLocks } from '../git/stale-locks.ts';
import { ownerOf } from '../git/trees/tree-mark.ts';
import { checkRoot } from '../gates/check-environment.ts';
import { ok, problem, warn, type Finding, type Patient } from './finding.ts';

const fsckTimeoutMs = 30 * 60_000;

/** Mirror, working trees and check trees. */
export async function checkTrees(patient: Patient): Promise<readonly Finding[]> {
  return [
    ...(await mirrorFindings(patient)),
    ...(await treeFindings(patient)),
    ...(await leavings(patient)),
  ];
}

async function mirrorFindings({ git: context, state, busy }: Patient): Promise<readonly Finding[]> {
  const { mirror } = context;
  const runs = state?.runs.size ?? 0;
  if (!existsSync(join(mirror, 'HEAD')))
    return runs === 0
      ? [ok('mirror', 'there is none yet')]
      : [
          problem('mirror', {
            what: 'the mirror is gone, and runs cannot go on without it; what was merged or kept stands under refs/czar of your repository',
            where: mirror,
            next: 'restore its folder from a backup, or start anew with czar run --new',
          }),
        ];
  const args = ['fsck', '--connectivity-only', '--no-dangling', '--no-progress'];
  const checked = await git(args, { ...inMirror(context), timeoutMs: fsckTimeoutMs });
  if (checked.code !== 0)
    return [
      problem('mirror', {
        what: `objects of the mirror are missing or damaged: ${checked.stderr.split('\n')[0] || checked.stdout.toString('utf8').split('\n')[0] || checked.trouble || 'unknown'}`,
        where: mirror,
        next: 'check the disk, and restore the folder from a backup',
      }),
    ];
  if (busy) return [ok('mirror', 'all objects are there')];
  const unheld = await failing(() => keptElsewhere(context));
  if ('kind' in unheld) return [problem('mirror', { what: unheld.error, where: mirror })];
  if (unheld.length === 0) return [ok('mirror', 'all objects are there')];
  return [
    warn(
      'mirror',
      {
        what: `${unheld.length} kept ${unheld.length === 1 ? 'work has' : 'works have'} no ref in your repository`,
        where: unheld.map(({ ref }) => ref).join(', '),
        next: 'czar doctor --fix',
      },
      () => deliver(context, ...unheld),
    ),
  ];
}

/** Kept refs of the mirror that the user's repository lacks, or has elsewhere. For use inside `failing`. */
async function keptElsewhere(
  context: Patient['git'],
): Promise<readonly { readonly ref: string; readonly commit: string }[]> {
  const format = '--format=%(objectname) %(refname)';
  const args = ['for-each-ref', format, 'refs/czar/kept/'];
  const user = (await output(args, inUserRepository(context))).toString('utf8');
  const shown = new Set(user.split('\n'));
  const kept = await listRefs(context, 'refs/czar/kept/');
  return [...kept]
    .filter(([ref, commit]) => !shown.has(`${commit} ${ref}`))
    .map(([ref, commit]) => ({ ref, commit }));
}

async function treeFindings(patient: Patient): Promise<readonly Finding[]> {
  const { place, git: context } = patient;
  const folder = join(place.home.path, 'worktrees');
  const known = knownTrees(patient);
  const findings: Finding[] = [];
  for (const name of await namesIn(folder)) {
    if (name.startsWith('.')) continue;
    const tree = join(folder, name);
    const owner = await ownerOf(await gitDirOf(tree));
    if (owner === null || known.has(tree)) continue;
    findings.push(
      warn('working trees', {
        what: `the log knows nothing of this working tree, which says that it is of ${owner.worker} in run ${owner.run}`,
        where: tree,
        next: 'look for work in it (git -C … status), then delete the folder',
      }),
    );
  }
  for (const [tree, of] of known) {
    if (!of.live || existsSync(tree)) continue;
    findings.push(
      warn('working trees', {
        what: `the working tree of ${of.worker} in the live run ${of.run} is gone`,
        where: tree,
        next: `czar retry ${of.worker} makes a new one; what was collected of it is kept`,
      }),
    );
  }
  const admin = join(context.commonDir, 'worktrees');
  for (const name of await namesIn(admin)) {
    if (!name.startsWith(ownPrefix)) continue;
    const link = (await readFile(join(admin, name, 'gitdir'), 'utf8').catch(() => '')).trim();
    if (link !== '' && existsSync(resolve(join(admin, name), link))) continue;
    findings.push(
      warn('working trees', {
        what: 'this linked worktree of czar’s has no folder any more',
        where: join(admin, name),
        next: `git worktree unlock ${name}, then git worktree prune`,
      }),
    );
  }
  return findings.length > 0
    ? findings
    : [
        ok(
          'working trees',
          `${[...known.keys()].filter((tree) => existsSync(tree)).length} known, none besides`,
        ),
      ];
}

/** Working trees of the log by folder. */
function knownTrees({
  place,
  state,
}: {
  readonly place: Patient['place'];
  readonly state: RepositoryState | null;
}): ReadonlyMap<string, { readonly run: string; readonly worker: string; readonly live: boolean }> {
  const known = new Map<string, { run: string; worker: string; live: boolean }>();
  for (const run of state?.runs.values() ?? []) {
    // Trees of another checkout's runs stand in its home.
    if (run.checkout !== place.checkout) continue;
    for (const worker of run.workers.values()) {
      const tree = treeOf({ git: { root: place.root } }, worker);
      if (tree === null) continue;
      const live = isRunLive(run) && !isFinal(worker.state) && worker.attempt !== null;
      known.set(tree, { run: run.id, worker: worker.id, live });
    }
  }
  return known;
}

/** What is half made or half deleted when nobody is at work. */
async function leavings({ place, git: context, busy, env }: Patient): Promise<readonly Finding[]> {
  if (busy) return [];
  const trees = join(place.home.path, 'worktrees');
  const pool = join(trees, spareName);
  const checks = await checkLeavings(context, checkRoot({ ...env }));
  const making = (await namesIn(trees)).filter((name) => name.startsWith('.making-'));
  const state = await namesIn(context.state);
  const left = [
    ...making.map((name) => join(trees, name)),
    ...(await filled(pool)),
    ...(await filled(join(trees, '.trash'))),
    ...checks,
    ...state
      .filter((name) => name.startsWith('mirror.making-'))
      .map((name) => join(context.state, name)),
    ...(await filled(join(context.state, 'linking'))),
    ...(await filled(join(context.state, 'unlinked'))),
    ...(existsSync(context.mirror) ? await leftIn(context.mirror) : []),
  ];
  if (left.length === 0) return [ok('leavings', 'nothing half made, nothing half deleted')];
  return [
    warn(
      'leavings',
      {
        what: `a czar that was killed left ${left.length} folder${left.length === 1 ? '' : 's'} or file${left.length === 1 ? '' : 's'} half made or half deleted; czar run takes them away too`,
        where:
          left.length > 3
            ? `${left.slice(0, 3).join(', ')} and ${left.length - 3} more`
            : left.join(', '),
        next: 'czar doctor --fix',
      },
      async () => {
        await removeStaleLocks(context);
        await reclaimTrees(context);
        await emptyPool(context, pool);
        await emptyTrash(trees);
        for (const path of checks) await rm(path, { recursive: true, force: true });
        for (const name of await namesIn(context.state))
          if (name.startsWith('mirror.making-'))
            await rm(join(context.state, name), { recursive: true, force: true });
      },
    ),
  ];
}

/** Folders below `root`, the folder of all check trees, that belong to this repository. */
export async function checkLeavings(
  context: Pick<Patient['git'], 'mirror' | 'commonDir'>,
  root: string,
): Promise<readonly string[]> {
  const spare = dirname(checkPool({ git: context, checks: root }));
  const mirror = await realpath(context.mirror).catch(() => null);
  const found = existsSync(spare) ? [spare] : [];
  if (mirror === null) return found;
  for (const name of await namesIn(root)) {
    const file = join(root, name, 'tree/.git/objects/info/alternates');
    const borrows = (await readFile(file, 'utf8').catch(() => '')).trim();
    if (borrows === join(mirror, 'objects')) found.push(join(root, name));
  }
  return found;
}

/** Git directory of a tree: a folder, or what the file in its place names. */
export async function gitDirOf(tree: string): Promise<string> {
  const dot = join(tree, '.git');
  const text = await readFile(dot, 'utf8').catch(() => '');
  const [, named = null] = /^gitdir: (.+)\n?$/.exec(text) ?? [];
  return named === null ? dot : resolve(tree, named);
}

async function filled(folder: string): Promise<readonly string[]> {
  return (await namesIn(folder)).length > 0 ? [folder] : [];
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return (await readdir(folder).catch(() => [])).toSorted(compare);
}
