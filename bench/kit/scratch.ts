/** Scratch repositories, and an environment in which nothing of the user's takes part. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The built command line. */
export const czar = new URL('../../bin/czar', import.meta.url).pathname;

/** What the launcher gives to Node before the program. */
export function nodeFlags(): readonly string[] {
  const flags = /^young="([^"]+)"$/m.exec(readFileSync(czar, 'utf8'))?.[1];
  if (flags === undefined) throw new Error(`${czar} names no flags for Node`);
  return flags.split(' ');
}

/** HOME and caches below `dir`; git without the configuration of user and system. */
export function quietEnvironment(dir: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: join(dir, 'home'),
    XDG_CACHE_HOME: join(dir, 'cache'),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'bench',
    GIT_AUTHOR_EMAIL: 'bench@localhost',
    GIT_COMMITTER_NAME: 'bench',
    GIT_COMMITTER_EMAIL: 'bench@localhost',
    NO_COLOR: '1',
  };
}

/** A repository with one commit of one file. */
export function repository(root: string, env: NodeJS.ProcessEnv): void {
  mkdirSync(root, { recursive: true });
  const git = (...args: readonly string[]): void => {
    execFileSync('git', ['-C', root, ...args], { env, stdio: 'ignore' });
  };
  git('init', '-b', 'main');
  writeFileSync(join(root, 'README'), 'A scratch repository.\n');
  git('add', '.');
  git('commit', '-m', 'first');
}
