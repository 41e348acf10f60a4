/**
 * A home folder of an attempt's own, in the attempt's folder: nothing of the user's is in it but what the configuration
 * names. An attempt that goes on in its agent's session takes over the home of the one before, where that session is.
 */
import { cp, lstat, mkdir, realpath, rename } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import type { AgentDefinition } from '../../core/plan.ts';

/** Variables that would lead an agent back into the user's home. */
const waysBack: ReadonlySet<string> = new Set([
  'XDG_CONFIG_HOME',
  'XDG_DATA_HOME',
  'XDG_STATE_HOME',
  'XDG_CACHE_HOME',
  'CLAUDE_CONFIG_DIR',
  'CODEX_HOME',
]);

/** The environment without what leads back into the user's home. */
export function awayFromHome(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !waysBack.has(name)));
}

/** Makes the home, or finds it made. `files` are copied from the user's home; one that is not there is a problem. */
export async function makeHome(options: {
  /** Absolute. */
  readonly attemptDir: string;
  /** Folder of the attempt whose home is taken over; null for a new one. */
  readonly before: string | null;
  /** The user's home; null without one. */
  readonly user: string | null;
  readonly files: readonly string[];
}): Promise<{ readonly home: string } | { readonly problem: string }> {
  const { attemptDir, before, user, files } = options;
  const home = join(attemptDir, 'home');
  if (await isFolder(home)) return { home };
  await mkdir(attemptDir, { recursive: true, mode: 0o700 });
  if (before !== null && (await isFolder(join(before, 'home')))) {
    await rename(join(before, 'home'), home);
    return { home };
  }
  // Beside its place, so that a kill half way leaves no home with half of the files.
  const making = join(attemptDir, '.home');
  await mkdir(making, { recursive: true, mode: 0o700 });
  for (const file of files) {
    const from = user === null ? null : await realpath(join(user, file)).catch(() => null);
    if (from === null || user === null) return { problem: `home_files: there is no ~/${file}` };
    if (!(from + sep).startsWith((await realpath(user)) + sep))
      return { problem: `home_files: ~/${file} leads out of your home folder` };
    await mkdir(dirname(join(making, file)), { recursive: true, mode: 0o700 });
    await cp(from, join(making, file), { recursive: true, verbatimSymlinks: true, force: true });
  }
  await rename(making, home);
  return { home };
}

/** What an agent that starts anew is given of homes: one of its own where its definition says so, else the user's. */
export async function homeOf(
  { home }: Pick<AgentDefinition, 'home'>,
  { attemptDir, env }: { readonly attemptDir: string; readonly env: NodeJS.ProcessEnv },
): Promise<
  | { readonly baseEnv: NodeJS.ProcessEnv; readonly own: Readonly<Record<string, string>> }
  | { readonly problem: string }
> {
  if (home === undefined) return { baseEnv: env, own: {} };
  const user = env['HOME'] ?? null;
  const made = await makeHome({ attemptDir, before: null, user, files: home.files });
  if ('problem' in made) return made;
  return { baseEnv: awayFromHome(env), own: { HOME: made.home } };
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isDirectory() === true;
}
