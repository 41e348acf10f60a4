/** Pull requests of GitHub and merge requests of GitLab, whichever the remote of a repository is at. */
import type { PullOrder, PullRemark } from '../core/events.ts';
import { which } from '../process/which.ts';
import { type ForgePlace } from './forge/forge-call.ts';
import { gitHub } from './forge/github.ts';
import { gitLab } from './forge/gitlab.ts';

export interface Pull {
  readonly number: number;
  readonly url: string;
  readonly state: 'open' | 'merged' | 'closed';
}

/** The text of one. */
export interface PullText {
  readonly title: string;
  readonly body: string;
}

/** What can be done with pull requests; each throws a `ForgeError` when the program does not do it. */
export interface Forge {
  readonly program: 'gh' | 'glab';
  /** The open one of the branch into the target; null when there is none. */
  find(order: PullOrder): Promise<Pull | null>;
  open(order: PullOrder, text: PullText): Promise<Pull>;
  update(number: number, text: PullText): Promise<Pull>;
  look(number: number): Promise<Pull>;
  /** What was said of it as it stands there now. */
  heard(number: number): Promise<Heard>;
}

/** What was said of a pull request, by checks and by people who may write to its repository. */
export interface Heard {
  /** Commit of its branch, to which the checks belong. */
  readonly head: string;
  readonly remarks: readonly Remark[];
  /** Names of checks that have not ended. */
  readonly pending: readonly string[];
  /** Comments by people who may not write there: nobody passes them on. */
  readonly passedOver: number;
  /** Why some comments wait: whether their authors may write there could not be told. A sentence each. */
  readonly untold: readonly string[];
}

export interface Remark extends PullRemark {
  readonly text: string;
}

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
