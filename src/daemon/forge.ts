/** Pull requests of GitHub and merge requests of GitLab, whichever the remote of a repository is at. */
import { which } from '../process/which.ts';
import type { Forge } from './forge/contract.ts';
import type { ForgePlace } from './forge/forge-call.ts';
import { gitHub } from './forge/github.ts';
import { gitLab } from './forge/gitlab.ts';

/** The forge of a remote; a sentence when there is no program for it. */
export function forgeOf(url: string, here: ForgePlace): Forge | { readonly missing: string } {
  const host = hostOf(url);
  const named = host.includes('gitlab') ? 'glab' : host.includes('github') ? 'gh' : null;
  const path = here.env['PATH'] ?? '';
  const isHere = (program: string): boolean => 'path' in which({ program, path, cwd: here.root });
  const found = (named === null ? (['gh', 'glab'] as const) : [named]).find(isHere);
  if (found === 'gh') return gitHub(here);
  if (found === 'glab') return gitLab(here);
  return {
    missing: named === null ? 'neither gh nor glab is on the PATH' : `${named} is not on the PATH`,
  };
}

/** The host of a URL or of `user@host:path`; empty for a path. */
export function hostOf(url: string): string {
  const [, host = ''] = /^(?:[a-z+]+:\/\/)?(?:[^/@]*@)?([^/:]+)[:/]/.exec(url) ?? [];
  return url.startsWith('/') || url.startsWith('.') || url.startsWith('file:')
    ? ''
    : host.toLowerCase();
}
