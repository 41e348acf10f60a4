/**
 * A tree as a repository of its own whose objects are the mirror's: nothing that its agent does with git reaches the
 * user's repository, another worker or the mirror. Git runs in it only before its agent ever did.
 */
import {
  chmod,
  copyFile,
  mkdir,
  readFile,
  realpath,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { gitDirState, readCloneRefs, removeGitFiles, writeGitFile } from './clone-files.ts';
import { reach } from './context.ts';
import type { GitContext } from './context.ts';
import { discard, makeOrRemove } from './discard.ts';
import { output } from './git.ts';
import type { Isolation, NewTree, TreeRepository } from './isolation.ts';
import { indexFile } from './keep.ts';
import { listRefs } from './refs.ts';
import { excludeFile, prePushHook, treeConfig } from './tree-config.ts';
import { makingFolder, markText, removeMakings, treeMark } from './tree-mark.ts';

const checkoutTimeoutMs = 30 * 60_000;

/** `isolation: clone`. */
export const clone: Isolation = {
  repository: (_context, tree) => Promise.resolve(repository(tree)),
  make,
  release: (_context, tree) => discard(tree),
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
    unlock: (branch) =>
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
  };
}

async function make(context: GitContext, order: NewTree): Promise<void> {
  const making = makingFolder(order.dir, order.worker);
  await rm(making, { recursive: true, force: true });
  await makeOrRemove(making, () => fill(context, order, making));
  await reach(context, 'tree:before-rename');
  await rename(making, order.dir);
  await reach(context, 'tree:after-rename');
}

async function fill(context: GitContext, order: NewTree, making: string): Promise<void> {
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
  await writeFile(join(gitDir, 'info/exclude'), excludeFile());
  // Relative, so that a repository that is moved with its home goes on.
  const objects = relative(
    join(await realpath(gitDir), 'objects'),
    join(await realpath(context.mirror), 'objects'),
  );
  await writeFile(join(gitDir, 'objects/info/alternates'), `${objects}\n`);
  await writeFile(join(gitDir, 'packed-refs'), await packedRefs(context));
  await writeFile(join(gitDir, 'HEAD'), `ref: refs/heads/${order.branch}\n`);
  const ref = join(gitDir, 'refs/heads', order.branch);
  await mkdir(dirname(ref), { recursive: true });
  await writeFile(ref, `${order.commit}\n`);
  await writeFile(join(gitDir, treeMark), markText(order));
  const shallow = await readFile(join(context.mirror, 'shallow')).catch(() => null);
  if (shallow !== null) await writeFile(join(gitDir, 'shallow'), shallow);
  await reach(context, 'tree:before-checkout');
  const call = {
    cwd: making,
    gitDir,
    workTree: making,
    signal: context.signal,
    timeoutMs: checkoutTimeoutMs,
  };
  await output(['reset', '-q', '--hard'], call);
  // Kept by us: collecting compares files with it instead of reading them all, and trusts no index of the agent's.
  const index = indexFile(context, order);
  await mkdir(dirname(index), { recursive: true });
  await copyFile(join(gitDir, 'index'), index);
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
