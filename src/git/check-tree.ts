/**
 * Check trees: a clean checkout of exactly one commit in a folder of its own, for commands that judge it. It is a
 * repository of its own too, so that commands which call git work; it has no remote, no hooks and no config but ours,
 * and git of ours runs in it only before anything else did.
 */
import { mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inMirror, reach } from './context.ts';
import type { GitContext } from './context.ts';
import { discard, isThere, makeOrRemove, trashName } from './discard.ts';
import { failing, git, output } from './git.ts';
import type { Failed } from './git.ts';

const checkoutTimeoutMs = 30 * 60_000;

/** Checks a commit out into a folder; one that is there already is removed first. */
export async function checkTree(
  context: GitContext,
  options: { readonly commit: string; readonly dir: string },
): Promise<{ readonly kind: 'ready'; readonly tree: string } | Failed> {
  return failing(async () => {
    const { commit, dir } = options;
    if (await isThere(dir)) await (await discard(dir)).deleted;
    const gitDir = join(dir, '.git');
    for (const folder of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags', 'info']) {
      await mkdir(join(gitDir, folder), { recursive: true });
    }
    const sha256 = commit.length === 64;
    await writeFile(
      join(gitDir, 'config'),
      [
        '[core]',
        `\trepositoryformatversion = ${sha256 ? 1 : 0}`,
        '\tbare = false',
        '\tfilemode = true',
        '\tautocrlf = false',
        '\thooksPath = .git/hooks',
        ...(sha256 ? ['[extensions]', '\tobjectformat = sha256'] : []),
        '[gc]',
        '\tauto = 0',
        '',
      ].join('\n'),
    );
    await writeFile(
      join(gitDir, 'objects/info/alternates'),
      `${join(await realpath(context.mirror), 'objects')}\n`,
    );
    await writeFile(join(gitDir, 'HEAD'), `${commit}\n`);
    const shallow = await readFile(join(context.mirror, 'shallow')).catch(() => null);
    if (shallow !== null) await writeFile(join(gitDir, 'shallow'), shallow);
    await reach(context, 'check:before-checkout');
    const call = {
      cwd: dir,
      gitDir,
      workTree: dir,
      signal: context.signal,
      timeoutMs: checkoutTimeoutMs,
    };
    await makeOrRemove(dir, () => output(['read-tree', '--reset', '-u', commit], call));
    await git(['update-index', '-q', '--refresh'], call);
    await reach(context, 'check:after-checkout');
    const tree = await output(['rev-parse', '--verify', `${commit}^{tree}`], inMirror(context));
    return { kind: 'ready', tree: tree.toString('utf8').trim() };
  });
}

/** Removes a check tree: its name is free at once, its files are gone when the promise is fulfilled. */
export async function removeCheckTree(dir: string): Promise<void> {
  if (!(await isThere(dirname(dir)))) return;
  await (
    await discard(dir)
  ).deleted;
  await rm(join(dirname(dir), trashName), { recursive: true, force: true });
}
