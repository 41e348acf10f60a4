/**
 * A tree as a repository of its own whose objects are the mirror's: nothing that its agent does with git reaches the
 * user's repository, another worker or the mirror. Git runs in it only before its agent ever did.
 */
import { chmod, copyFile, mkdir, readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import {
  gitDirState,
  readCloneRefs,
  readGitFile,
  removeGitFiles,
  writeGitFile,
} from './clone-files.ts';
import { cleaned } from '../commit.ts';
import { reach } from '../context.ts';
import type { GitContext } from '../context.ts';
import { excludeFile, identityFile } from '../collecting/czar-files.ts';
import { discard, makeOrRemove } from './discard.ts';
import { output } from '../git.ts';
import type { Isolation, NewTree, TreeRepository } from './isolation.ts';
import { indexFile } from '../collecting/keep.ts';
import { listRefs, zero } from '../refs.ts';
import { giveBack, record, spareName, takeSpare } from './spare-trees.ts';
import { prePushHook, treeConfig } from './tree-config.ts';
import { makingFolder, markText, removeMakings, treeMark } from './tree-mark.ts';

const checkoutTimeoutMs = 30 * 60_000;

/** `isolation: clone`. */
export const clone: Isolation = {
  identityFile,
  repository: (_context, tree) => repository(tree),
  hide,
  make,
  release: (context, tree) => giveBack(context, { dir: tree, pool: poolOf(tree) }),
  offer: (_context, { tree, commit }) =>
    writeGitFile(join(tree, '.git'), 'refs/czar/integration', `${commit}\n`),
  reclaim: removeMakings,
};

function repository(tree: string): TreeRepository {
  const gitDir = join(tree, '.git');
  return {
    gitDir,
    objects: [join(gitDir, 'objects')],
    state: () => gitDirState(gitDir),
    refs: () => readCloneRefs(gitDir),
    mend: (branch) =>
      removeGitFiles(gitDir, [
        'index.lock',
        'HEAD.lock',
        'config.lock',
        'packed-refs.lock',
        `refs/heads/${branch}.lock`,
      ]),
    standAt: async ({ branch, commit, index }) =>
      (await writeGitFile(gitDir, `refs/heads/${branch}`, `${commit}\n`)) &&
      (await writeGitFile(gitDir, 'HEAD', `ref: refs/heads/${branch}\n`)) &&
      (await writeGitFile(gitDir, 'index', index)),
    shared: () => Promise.resolve([]),
    begin: () => Promise.resolve(),
  };
}

const excludes = 'info/exclude';

/** What others wrote into that list stays. */
async function hide(tree: string, names: readonly string[]): Promise<boolean> {
  const gitDir = join(tree, '.git');
  const known = await readGitFile(gitDir, excludes);
  const wanted = excludeFile(known, names);
  return wanted === known || writeGitFile(gitDir, excludes, wanted);
}

async function make(context: GitContext, order: NewTree): Promise<void> {
  const making = makingFolder(order.dir, order.worker);
  const pool = poolOf(order.dir);
  void (await discard(making)).deleted;
  await makeOrRemove(making, async () => {
    const fill = (): Promise<void> => fillGitDir(context, order, making);
    const { commit } = order;
    if (!(await takeSpare(context, { dir: making, pool, commit, fill }))) {
      await fill();
      await reach(context, 'tree:before-checkout');
      await checkOut(context, order, making);
    }
    const index = join(making, '.git/index');
    // Kept by us: collecting compares files with it instead of reading them all, and trusts no index of the agent's.
    const own = indexFile(context, order);
    await mkdir(dirname(own), { recursive: true });
    await copyFile(index, own);
    await record(context, { dir: making, index, commit: order.commit });
  });
  await reach(context, 'tree:before-rename');
  await rename(making, order.dir);
  await reach(context, 'tree:after-rename');
}

/** Where trees wait that were given back. */
function poolOf(dir: string): string {
  return join(dirname(dir), spareName);
}

async function checkOut(context: GitContext, { commit }: NewTree, making: string): Promise<void> {
  const gitDir = join(making, '.git');
  const call = { cwd: making, gitDir, workTree: making, signal: context.signal };
  const args = ['read-tree', '--reset', '-u', commit];
  await output(args, { ...call, timeoutMs: checkoutTimeoutMs });
}

async function fillGitDir(context: GitContext, order: NewTree, making: string): Promise<void> {
  const gitDir = join(making, '.git');
  for (const folder of [
    'objects/info',
    'objects/pack',
    'refs/heads',
    'refs/tags',
    'info',
    'hooks',
  ]) {
    await mkdir(join(gitDir, folder), { recursive: true });
  }
  const format = order.commit.length === 64 ? 'sha256' : 'sha1';
  await writeFile(join(gitDir, 'config'), treeConfig({ ...order, objectFormat: format }));
  const hook = join(gitDir, 'hooks/pre-push');
  await writeFile(hook, prePushHook());
  await chmod(hook, 0o755);
  await writeFile(join(gitDir, excludes), excludeFile(null, []));
  // Relative, so that a repository that is moved with its home goes on.
  const objects = relative(
    join(await realpath(gitDir), 'objects'),
    join(await realpath(context.mirror), 'objects'),
  );
  await writeFile(join(gitDir, 'objects/info/alternates'), `${objects}\n`);
  await writeFile(join(gitDir, 'packed-refs'), await packedRefs(context));
  await writeFile(join(gitDir, 'HEAD'), `ref: refs/heads/${order.branch}\n`);
  const { name, email } = cleaned(order.identity);
  const when = `${Math.floor(Date.now() / 1000)} +0000`;
  const began = `${zero(order.commit)} ${order.commit} ${name} <${email}> ${when}\tbranch: made by czar\n`;
  for (const [file, text] of [
    [`refs/heads/${order.branch}`, `${order.commit}\n`],
    [`logs/refs/heads/${order.branch}`, began],
    ['logs/HEAD', began],
  ] as const) {
    await mkdir(dirname(join(gitDir, file)), { recursive: true });
    await writeFile(join(gitDir, file), text);
  }
  await writeFile(join(gitDir, treeMark), markText(order));
  const shallow = await readFile(join(context.mirror, 'shallow')).catch(() => null);
  if (shallow !== null) await writeFile(join(gitDir, 'shallow'), shallow);
}

/** Tags and tracking refs as the user has them. */
async function packedRefs(context: GitContext): Promise<string> {
  const refs: string[] = [];
  for (const [kind, name] of [
    ['remotes/origin', 'remotes/origin'],
    ['tags', 'tags'],
  ] as const) {
    const prefix = `refs/user/${kind}/`;
    for (const [ref, id] of await listRefs(context, prefix)) {
      refs.push(`${id} refs/${name}/${ref.slice(prefix.length)}`);
    }
  }
  const byName = (text: string): string => text.slice(text.indexOf(' ') + 1);
  refs.sort((a, b) => Buffer.compare(Buffer.from(byName(a)), Buffer.from(byName(b))));
  return ['# pack-refs with: sorted ', ...refs, ''].join('\n');
}
