/**
 * A repository with a reference plan, a home and a cache of its own, and the built command line run in it. What agents
 * and checks write down lies in `side`, outside the repository.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, closeSync, cpSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { planFiles, type ReferencePlan } from './plans.ts';

export interface Scratch {
  readonly base: string;
  readonly repo: string;
  readonly side: string;
  readonly plan: ReferencePlan;
  readonly env: Readonly<Record<string, string>>;
  /** The launcher of the build that is killed. */
  readonly launcher: string;
}

export interface Ended {
  readonly code: number | null;
  readonly killed: boolean;
}

/** Makes the scratch repository in a folder that does not exist yet. */
export function makeScratch(base: string, plan: ReferencePlan, launcher: string): Scratch {
  const [repo, side, kit] = [join(base, 'repo'), join(base, 'side'), join(base, 'kit')];
  for (const folder of ['home', 'cache', 'rt', 'side', 'repo', 'tmp'])
    mkdirSync(join(base, folder), { recursive: true, mode: 0o700 });
  cpSync(join(import.meta.dirname, 'kit'), kit, { recursive: true });
  const env = {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: join(base, 'home'),
    XDG_CACHE_HOME: join(base, 'cache'),
    XDG_RUNTIME_DIR: join(base, 'rt'),
    TMPDIR: join(base, 'tmp'),
    GIT_CONFIG_NOSYSTEM: '1',
    LANG: 'C.UTF-8',
    CRASH_SIDE: side,
    CRASH_KIT: kit,
  };
  const scratch = { base, repo, side, plan, env, launcher };
  for (const [path, text] of Object.entries(planFiles(plan))) {
    mkdirSync(dirname(join(repo, path)), { recursive: true });
    writeFileSync(join(repo, path), text);
  }
  git(scratch, repo, 'init', '-q', '-b', 'main');
  git(scratch, repo, 'config', 'user.name', 'Test User');
  git(scratch, repo, 'config', 'user.email', 'user@example.org');
  git(scratch, repo, 'add', '-A');
  git(scratch, repo, 'commit', '-q', '-m', 'Plan');
  if (plan.hasRemote === true) {
    git(scratch, base, 'init', '-q', '--bare', '-b', 'main', remoteOf(scratch));
    git(scratch, repo, 'remote', 'add', 'origin', remoteOf(scratch));
    git(scratch, repo, 'push', '-q', 'origin', 'main');
  }
  for (const [path, text] of Object.entries(plan.dirty ?? {}))
    writeFileSync(join(repo, path), text);
  return scratch;
}

/** The repository that the plan is pushed to. */
export function remoteOf({ base }: Pick<Scratch, 'base'>): string {
  return join(base, 'remote.git');
}

/** Runs git in a folder and gives its output without the last newline. Throws when it fails. */
export function git(
  scratch: Pick<Scratch, 'env'>,
  folder: string,
  ...args: readonly string[]
): string {
  const env = { ...scratch.env, GIT_OPTIONAL_LOCKS: '0' };
  return execFileSync('git', args, {
    cwd: folder,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    stdio: ['ignore', 'pipe', 'pipe'],
  }).replace(/\n$/, '');
}

/** The lines of a side file, oldest first. */
export function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** Starts czar in the repository; its output goes to `czar.log` in the base. */
export function startCzar(
  scratch: Scratch,
  args: readonly string[],
  extra: Readonly<Record<string, string>> = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const file = join(scratch.base, 'czar.log');
  const named = Object.entries(extra).map(([name, value]) => `${name}=${value} `);
  appendFileSync(file, `$ ${named.join('')}czar ${args.join(' ')}\n`);
  const out = openSync(file, 'a');
  const child = spawn(scratch.launcher, args, {
    cwd: scratch.repo,
    env: { ...scratch.env, ...extra },
    stdio: ['ignore', out, out],
  });
  closeSync(out);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const killed = signal === 'SIGKILL';
      appendFileSync(file, `= ${killed ? 'killed' : `exit ${code}`}\n`);
      resolve({ code, killed });
    });
  });
  return { child, ended };
}
