/**
 * Pushing branches of the user's repository to its remote. To the remote's URL, not its name: so no tracking branch of
 * the user's moves (S13). Never by force, without hooks, and without asking anybody for anything.
 */
import { resolve } from 'node:path';
import { inUserRepository, reach } from './context.ts';
import type { GitContext } from './context.ts';
import { failing, git, gitFailure } from './git.ts';
import type { Failed } from './git.ts';

export interface Pushed {
  readonly kind: 'pushed';
  /** Name of the remote; null when there is none. */
  readonly remote: string | null;
  /** Branches that it did not take, each with the reason: trying again would not help. */
  readonly left: Readonly<Record<string, string>>;
}

/** The remote that is pushed to. */
export const remoteName = 'origin';

/** Milliseconds for a push. */
const timeoutMs = 600_000;

/** What reaches a server beside the configuration. */
const inherited = ['SSH_AUTH_SOCK', 'GIT_SSH', 'GIT_SSH_COMMAND', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

/** Pushes commits to branches (full names) of the remote. Done again it finds what is there. */
export async function pushRefs(
  context: GitContext,
  refs: Readonly<Record<string, string>>,
): Promise<Pushed | Failed> {
  return failing(async () => {
    const url = await pushUrl(context);
    if (url === null) return { kind: 'pushed', remote: null, left: {} };
    await reach(context, 'push:before');
    const specs = Object.entries(refs).map(([ref, commit]) => `${commit}:${ref}`);
    const options = ['--porcelain', '--no-verify', '--no-follow-tags', '--recurse-submodules=no'];
    const args = ['push', ...options, '--', url, ...specs];
    const env = Object.fromEntries(
      inherited.flatMap((name) => {
        const value = process.env[name];
        return value === undefined ? [] : [[name, value] as const];
      }),
    );
    const place = inUserRepository(context);
    const result = await git(args, { ...place, config: 'user', env, timeoutMs });
    const answers = answersOf(result.stdout.toString('utf8'));
    // It answers for every branch, or it did not come so far.
    if (result.trouble !== null || Object.keys(refs).some((ref) => !answers.has(ref)))
      throw gitFailure(['push'], { ...result, stderr: withoutLogins(result.stderr) });
    await reach(context, 'push:after');
    const left: Record<string, string> = {};
    for (const [ref, why] of answers) {
      if (why === null) continue;
      // Others pushed over it, or the user has merged it with theirs: it is there all the same.
      const there = isBehind.test(why) && (await remoteHolds(context, { url, ref, env, refs }));
      if (!there) left[ref] = why;
    }
    return { kind: 'pushed', remote: remoteName, left };
  });
}

/** Said only where the remote's commit is here too. */
const isBehind = /non-fast-forward/;

async function remoteHolds(
  context: GitContext,
  of: {
    readonly url: string;
    readonly ref: string;
    readonly refs: Readonly<Record<string, string>>;
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<boolean> {
  const { url, ref, refs, env } = of;
  const place = inUserRepository(context);
  const listed = await git(['ls-remote', '--', url, ref], {
    ...place,
    config: 'user',
    env,
    timeoutMs,
  });
  const [tip = ''] = listed.stdout.toString('utf8').split('\t');
  const commit = refs[ref];
  if (listed.code !== 0 || tip === '' || commit === undefined) return false;
  const held = await git(['merge-base', '--is-ancestor', commit, tip], place);
  return held.trouble === null && held.code === 0;
}

/** A URL may hold a password. */
function withoutLogins(text: string): string {
  return text.replace(/\/\/[^/@\s]*@/g, '//');
}

/** Where the remote takes pushes; null when there is none of that name. */
export async function pushUrl(context: GitContext): Promise<string | null> {
  const args = ['remote', 'get-url', '--push', '--', remoteName];
  const result = await git(args, { ...inUserRepository(context), config: 'user' });
  if (result.trouble !== null) throw gitFailure(args, result);
  const url = result.stdout.toString('utf8').trim();
  if (result.code !== 0 || url === '') return null;
  // As git takes it in a checkout, from wherever it is called.
  return /^\.\.?(\/|$)/.test(url) ? resolve(context.root, url) : url;
}

/** `<flag>\t<from>:<to>\t<summary>` for each branch (git-push, "OUTPUT"): why it was refused, null when it was not. */
function answersOf(text: string): ReadonlyMap<string, string | null> {
  const answers = new Map<string, string | null>();
  for (const line of text.split('\n')) {
    const [flag = '', pair = '', summary = ''] = line.split('\t');
    const ref = pair.slice(pair.indexOf(':') + 1);
    if (flag.length !== 1 || !ref.startsWith('refs/')) continue;
    answers.set(ref, flag === '!' ? summary.replace(/^\[|\]/g, '') : null);
  }
  return answers;
}
