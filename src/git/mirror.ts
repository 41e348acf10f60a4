/**
 * The mirror: a bare repository of czar's own with the objects of the user's, in which all of czar's git happens.
 *
 * Invariants: the user's refs stand below `refs/user/` and nowhere else; nothing is ever collected or pruned; a push
 * into it is refused by its configuration; a process killed half way leaves no mirror that looks whole, since it is
 * made under another name and renamed.
 */
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inMirror, reach } from './context.ts';
import type { GitContext } from './context.ts';
import { isThere, makeOrRemove } from './trees/discard.ts';
import { fetchUser } from './fetch-user.ts';
import { failing, git, line, output } from './git.ts';
import type { Failed, GitCall } from './git.ts';
import { deleteRefs, integrationRef, moveRefIn, readRef, snapshotRef } from './refs.ts';

const cloneTimeoutMs = 60 * 60_000;
const aside = 'mirror.making-';

type Ready = { readonly kind: 'ready'; readonly created: boolean } | Failed;

/** By mirror, the last call that this process made: two fetches at once would be in each other's way. */
const underWay = new Map<string, Promise<unknown>>();

/** Makes the mirror if there is none and brings the user's refs up to date in it. Only who holds the lock calls this. */
export async function ensureMirror(context: GitContext): Promise<Ready> {
  const before = underWay.get(context.mirror) ?? Promise.resolve();
  const mine = before.catch(() => undefined).then(() => makeCurrent(context));
  underWay.set(context.mirror, mine);
  try {
    return await mine;
  } finally {
    if (underWay.get(context.mirror) === mine) underWay.delete(context.mirror);
  }
}

async function makeCurrent(context: GitContext): Promise<Ready> {
  return failing(async () => {
    await mkdir(context.state, { recursive: true, mode: 0o700 });
    for (const name of await readdir(context.state)) {
      if (name.startsWith(aside))
        await rm(join(context.state, name), { recursive: true, force: true });
    }
    if (await isThere(join(context.mirror, 'HEAD'))) {
      await fetchFromUser(context, context.mirror);
      return { kind: 'ready', created: false };
    }
    const making = join(context.state, `${aside}${process.pid}`);
    await reach(context, 'mirror:before-clone');
    await makeOrRemove(making, () => make(context, making));
    await reach(context, 'mirror:before-rename');
    await rename(making, context.mirror);
    await reach(context, 'mirror:after-rename');
    return { kind: 'ready', created: true };
  });
}

/** Brings a run's first commit from the user's repository into the mirror, unless it is a snapshot, and holds it. */
export async function fetchCommit(
  context: GitContext,
  options: { readonly run: string; readonly commit: string },
): Promise<{ readonly kind: 'fetched' } | Failed> {
  return failing(async () => {
    const { run, commit } = options;
    const snapshot = await readRef(context, snapshotRef(run));
    if (snapshot === commit) return { kind: 'fetched' };
    // Of a start that was killed, and that nobody knows of.
    if (snapshot !== null) await deleteRefs(context, [snapshotRef(run)]);
    await fetchRefs(context, context.mirror, [`+${commit}:refs/user/base/${run}`]);
    return { kind: 'fetched' };
  });
}

/**
 * Creates the integration ref of a run at its base. `commit` is where it stands: the base, or further when the run was
 * prepared before.
 */
export async function createIntegration(
  context: GitContext,
  options: { readonly run: string; readonly base: string },
): Promise<{ readonly kind: 'created'; readonly commit: string } | Failed> {
  return failing(async () => {
    const ref = integrationRef(options.run);
    await reach(context, 'integration:before-create');
    const moved = await moveRefIn(inMirror(context), { ref, from: null, to: options.base });
    await reach(context, 'integration:after-create');
    const commit = moved.kind === 'lost' && moved.found !== null ? moved.found : options.base;
    return { kind: 'created', commit };
  });
}

async function make(context: GitContext, making: string): Promise<void> {
  const call = { cwd: context.state, signal: context.signal, timeoutMs: cloneTimeoutMs };
  const format = await line(['rev-parse', '--show-object-format'], {
    ...call,
    cwd: context.root,
    config: 'user',
  });
  // Copied, not linked: a linked object is the same file as the user's. A copy that fails (a repack came between) is
  // made through git's own transport by the fetch below.
  const copy = [
    'clone',
    '-q',
    '--mirror',
    '--dissociate',
    '--no-hardlinks',
    context.commonDir,
    making,
  ];
  const copied = await git(copy, call);
  if (copied.code !== 0) {
    await rm(making, { recursive: true, force: true });
    await output(
      ['init', '-q', '--bare', '--template=', `--object-format=${format}`, making],
      call,
    );
  }
  const refs = copied.code === 0 ? await userRefs(making, call) : null;
  for (const name of ['packed-refs', 'refs', 'hooks', 'logs', 'info', 'FETCH_HEAD']) {
    await rm(join(making, name), { recursive: true, force: true });
  }
  await mkdir(join(making, 'refs/heads'), { recursive: true });
  await writeFile(join(making, 'HEAD'), 'ref: refs/heads/none\n');
  await writeFile(join(making, 'config'), configuration(format));
  if (refs !== null) await writeFile(join(making, 'packed-refs'), refs);
  await fetchFromUser(context, making);
}

/**
 * The refs of a fresh copy as a file of the mirror's, since a fetch makes a file of each; null when something that they
 * need is not there, which the fetch then has to bring.
 */
async function userRefs(copy: string, call: GitCall): Promise<string | null> {
  const packed = await readFile(join(copy, 'packed-refs'), 'utf8').catch(() => '');
  const kept: string[] = [];
  let wanted = false;
  for (const line of packed.split('\n')) {
    if (!line.startsWith('^')) wanted = / refs\/(?:heads|remotes|tags)\//.test(line);
    if (line.startsWith('#') || wanted) kept.push(line.replace(' refs/', ' refs/user/'));
  }
  const ids = kept.flatMap((line) => /^[0-9a-f]+(?= )/.exec(line)?.[0] ?? []);
  const args = ['rev-list', '--objects', '--quiet', '--stdin'];
  const input = [...new Set(ids), ''].join('\n');
  const whole = await git(args, { ...call, cwd: copy, gitDir: copy, input });
  return whole.code === 0 ? [...kept, ''].join('\n') : null;
}

/** The user's refs by name. Git checks on the way that everything they need is there. */
async function fetchFromUser(context: GitContext, mirror: string): Promise<void> {
  await fetchRefs(context, mirror, [
    '+refs/heads/*:refs/user/heads/*',
    '+refs/tags/*:refs/user/tags/*',
    '+refs/remotes/*:refs/user/remotes/*',
    '+HEAD:refs/user/HEAD',
  ]);
}

async function fetchRefs(
  context: GitContext,
  mirror: string,
  refspecs: readonly string[],
): Promise<void> {
  const call = { cwd: mirror, gitDir: mirror, signal: context.signal, timeoutMs: cloneTimeoutMs };
  await output(fetchUser(context.root, refspecs, { prune: refspecs.length > 1 }), call);
}

function configuration(format: string): string {
  return [
    '[core]',
    `\trepositoryformatversion = ${format === 'sha256' ? 1 : 0}`,
    '\tbare = true',
    '\tfilemode = true',
    '\tlogAllRefUpdates = false',
    ...(format === 'sha256' ? ['[extensions]', '\tobjectformat = sha256'] : []),
    '[gc]',
    '\tauto = 0',
    '\tpruneExpire = never',
    '[maintenance]',
    '\tauto = false',
    '[receive]',
    '\thideRefs = refs/',
    '\tautogc = false',
    '[uploadpack]',
    '\tallowAnySHA1InWant = true',
    '[http]',
    '\treceivepack = false',
    '\tuploadpack = false',
    '',
  ].join('\n');
}
