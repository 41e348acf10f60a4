/** Where one loop works, and what it knows of the place: found once when it starts, handed to every effect. */
import { createHash } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { isolationKind, type IsolationKind } from '../core/isolation.ts';
import type { RunState } from '../core/state.ts';
import type { Home } from '../plan/home.ts';
import { clone } from '../git/trees/clone.ts';
import type { GitContext, Identity } from '../git/context.ts';
import type { Isolation } from '../git/trees/isolation.ts';
import { linked } from '../git/trees/linked.ts';
import { spareName } from '../git/trees/spare-trees.ts';
import type { Meter } from '../process/meter.ts';
import type { Ports } from '../process/ports.ts';
import type { Runners } from '../process/runners.ts';

export interface Workplace {
  readonly git: GitContext;
  readonly home: Home;
  /** Whose name commits in workers' trees carry. */
  readonly identity: Identity;
  /** URL of the user's `origin`, or null. */
  readonly origin: string | null;
  readonly env: NodeJS.ProcessEnv;
  /** The shims of its attempts. */
  readonly runners: Runners;
  readonly ports: Ports;
  /** Looks at what its attempts use. */
  readonly meter: Meter;
  /** Folder of all check trees, in the user's cache. */
  readonly checks: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

const isolations: Readonly<Record<IsolationKind, Isolation>> = { clone, worktree: linked };

/** How the run ties the trees of its workers to a repository. */
export function isolationOf(run: RunState): Isolation {
  return isolations[isolationKind(run.plan.policies)];
}

/** Removes what trees in the making left when their loop was killed. For the holder of the lock. */
export async function reclaimTrees(git: GitContext): Promise<void> {
  for (const isolation of Object.values(isolations)) await isolation.reclaim(git);
}

/** Where check trees of this repository wait for the next check. */
export function checkPool(place: {
  readonly git: Pick<GitContext, 'commonDir'>;
  readonly checks: string;
}): string {
  const hash = createHash('sha256').update(place.git.commonDir).digest('hex').slice(0, 12);
  return join(place.checks, `.spare-${hash}`, 'trees');
}

/** Where working trees wait for the next worker. */
export function treePool(place: Workplace): string {
  return join(place.git.home, 'worktrees', spareName);
}

/** Folder of one attempt: prompt, output, reports. */
export function attemptDir(
  place: Workplace,
  at: { readonly run: string; readonly worker: string; readonly attempt: number },
): string {
  return join(place.git.home, 'runs', at.run, at.worker, String(at.attempt));
}

/** Folder of the worker's tree, absolute; null when it has none. The log knows it relative to the checkout. */
export function treeOf(
  place: { readonly git: { readonly root: string } },
  worker: { readonly worktree: string | null },
): string | null {
  return worker.worktree === null ? null : resolve(place.git.root, worker.worktree);
}

/** Where a worker's tree stands unless that place is taken. */
export function usualTree(place: Workplace, worker: string): string {
  return join(place.git.home, 'worktrees', worker);
}

/** Socket of the loop: short enough for every platform, in a folder that only its user can open. */
export function socketPath(
  env: NodeJS.ProcessEnv,
  state: string,
  hash: (text: string) => string,
): string {
  const own = env['XDG_RUNTIME_DIR'];
  const folder =
    own !== undefined && own !== '' && own.length < 60
      ? join(own, 'czar')
      : `/tmp/czar-${userInfo().uid}`;
  return join(folder, `${hash(state).slice(0, 16)}.sock`);
}

/** Name of this machine, for the log. */
export function thisHost(): string {
  return hostname();
}
