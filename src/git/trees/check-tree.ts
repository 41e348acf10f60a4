/**
 * Check trees: a clean checkout of exactly one commit in a folder of its own, for commands that judge it. It is a
 * repository of its own too, so that commands which call git work; it has no remote, no hooks and no config but ours,
 * and git of ours runs in it only before anything else did.
 */
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inMirror, reach } from '../context.ts';
import type { GitContext } from '../context.ts';
import { discard, isThere, makeOrRemove } from './discard.ts';
import { failing, output } from '../git.ts';
import type { Failed } from '../git.ts';
import { giveBack, record, takeSpare } from './spare-trees.ts';

const checkoutTimeoutMs = 30 * 60_000;

/**
 * Checks a commit out into a folder; one that is there already is removed first. `pool`: where trees wait that were given
 * back.
 */
export async function checkTree(
  context: GitContext,
  options: { readonly commit: string; readonly dir: string; readonly pool: string },
): Promise<{ readonly kind: 'ready'; readonly tree: string } | Failed> {
  return failing(async () => {
    const { dir, commit } = options;
    if (await isThere(dir)) await (await discard(dir)).deleted;
    await makeOrRemove(dir, async () => {
      const fill = (): Promise<void> => fillGitDir(context, options);
      if (!(await takeSpare(context, { ...options, fill }))) {
        await fill();
        await reach(context, 'check:before-checkout');
        await checkOut(context, options);
      }
      await record(context, { dir, index: join(dir, '.git/index'), commit });
    });
    await reach(context, 'check:after-checkout');
    const tree = await output(['rev-parse', '--verify', `${commit}^{tree}`], inMirror(context));
    return { kind: 'ready', tree: tree.toString('utf8').trim() };
  });
}

/** Gives a check tree back: its name is free at once; what serves no more is gone when the promise is fulfilled. */
export async function removeCheckTree(
  context: GitContext,
  options: { readonly dir: string; readonly pool: string },
): Promise<void> {
  if (!(await isThere(options.dir))) return;
  await (
    await giveBack(context, options)
  ).deleted;
}

async function checkOut(
  context: GitContext,
  { dir, commit }: { readonly dir: string; readonly commit: string },
): Promise<void> {
  const call = { cwd: dir, gitDir: join(dir, '.git'), workTree: dir, signal: context.signal };
  const args = ['read-tree', '--reset', '-u', commit];
  await output(args, { ...call, timeoutMs: checkoutTimeoutMs });
}

async function fillGitDir(
  context: GitContext,
  { dir, commit }: { readonly dir: string; readonly commit: string },
): Promise<void> {
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
}
