/**
 * What became of an attempt: recovery by a loop that finds one, and following a live one to its end. Both go by the
 * records in the folder and by who is alive, never by a child handle, so it makes no difference who started it.
 *
 * Invariants: without an exit record the exit is unknown; an unknown liveness counts as alive.
 */
import type { AttemptEnd, ProcessIdentity } from '../core/events.ts';
import { watchFolder, type FolderWatch } from './changes.ts';
import { bootId, identify, liveness } from './identity.ts';
import { endOf, endWithoutExit, readBoot, readStatus, voidAttempt, attemptKey } from './status.ts';
import type { AttemptStatus, RecordedProcess } from './status.ts';
import { systemFacts } from './table.ts';
import type { FactSource } from './table.ts';
import type { Runners } from './runners.ts';
import { scan } from './tree.ts';

export type Recovered =
  | { readonly kind: 'running'; readonly process: ProcessIdentity }
  /** It never ran and never will: it counts for nothing. */
  | { readonly kind: 'never-started' }
  | { readonly kind: 'ended'; readonly code: number; readonly end: AttemptEnd }
  | { readonly kind: 'unknown-exit'; readonly why: string; readonly end: AttemptEnd };

/** How long a claim without an agent is given to get further, milliseconds. */
const claimPatienceMs = 2_000;
const backstopMs = 2_000;
/** Between two calls of `onActivity`, milliseconds. */
const activityMs = 100;
/** Where the system tells of changes, `onActivity` is called so often without one, milliseconds. */
const quietMs = 10_000;
/** So often somebody looks whether one is still there of which no shim of this loop tells, milliseconds. */
const toldMs = 5_000;
/** How long an attempt lives before its folder is watched, milliseconds. */
const momentMs = 100;

const rebooted = 'the machine was restarted while it ran';
const bothKilled =
  'it was killed together with the process that records its exit, or its folder was moved away';
const shimKilled =
  'the process that records its exit was killed before it ended, or its folder was moved away';
const recordsGone = 'its records were removed while it ran';

/**
 * What became of an attempt that was about to start when a loop ended. `boot` is the boot at that time ('': what the
 * folder says). When nobody has claimed it, it is claimed here and never starts.
 */
export async function recoverAttempt(options: {
  readonly dir: string;
  readonly boot: string;
  readonly signal?: AbortSignal;
  readonly source?: FactSource;
}): Promise<Recovered> {
  const { dir, source = systemFacts } = options;
  const boot = options.boot === '' ? readBoot(dir) : options.boot;
  let status = readStatus(dir);
  const now = bootId(source);
  if (now !== '' && boot !== '' && now !== boot) {
    if (status.kind === 'exited' || status.kind === 'void') return settled(dir, status);
    return { kind: 'unknown-exit', why: rebooted, end: endWithoutExit(dir, rebooted) };
  }
  if (status.kind === 'none') {
    if (voidAttempt(dir)) return { kind: 'never-started' };
    status = readStatus(dir);
  }
  if (status.kind === 'claimed') status = await waitForAgent(dir, options.signal);
  switch (status.kind) {
    case 'none':
    case 'void':
    case 'exited':
      return settled(dir, status);
    case 'claimed': {
      // The shim hangs before its agent, or died there. Only a process can tell the two apart.
      const alive = scan({
        marker: attemptKey(dir),
        roots: [],
        worktree: null,
        attemptDir: dir,
        source,
      });
      const shim = status.shim === null ? null : { ...status.shim, boot: now };
      if (shim !== null && liveness(shim, source) !== 'gone')
        return { kind: 'running', process: shim };
      const [first] = alive;
      return first === undefined
        ? { kind: 'never-started' }
        : { kind: 'running', process: first.process };
    }
    case 'running': {
      const agent = { ...status.agent, boot: boot === '' ? now : boot };
      if (isLive(status, agent.boot, source)) return { kind: 'running', process: agent };
      // The exit may have been written since the records were read.
      const last = readStatus(dir);
      if (last.kind === 'exited') return settled(dir, last);
      return { kind: 'unknown-exit', why: bothKilled, end: endWithoutExit(dir, bothKilled) };
    }
  }
}

/**
 * Follows a live attempt to its end. `onActivity` is called after changes in its folder, at most every 100 ms. Returns
 * null when `signal` ends the following; the attempt goes on. An attempt that a shim of `runners` has is told of by it,
 * and its folder is watched only when it lives for a moment.
 */
export async function followAttempt(options: {
  readonly dir: string;
  readonly process: ProcessIdentity;
  readonly signal: AbortSignal;
  readonly onActivity: () => void;
  readonly runners?: Runners;
  readonly source?: FactSource;
}): Promise<AttemptEnd | null> {
  const { dir, signal, onActivity, source = systemFacts } = options;
  if (signal.aborted) return null;
  const { promise, resolve, reject } = Promise.withResolvers<AttemptEnd | null>();
  let soon: NodeJS.Timeout | undefined;
  let watch: FolderWatch | null = null;
  let active = -Infinity;
  let seen = -Infinity;
  let isHeard = true;

  const look = (file: string | null): void => {
    const now = performance.now();
    // The slow look is for what neither the system, which tells of records, nor its shim has told.
    const pause = watch?.isTold() !== true ? 0 : isHeard ? quietMs : toldMs;
    if (file === null && now - seen < pause) return;
    if (file === null) seen = now;
    if (file === null || file === 'status' || file === 'stopped') {
      try {
        const end = endNow(dir, options.process, source);
        if (end !== null) return resolve(end);
      } catch (error) {
        // A throw from a watcher or a timer would end the process.
        return reject(error);
      }
    }
    if (file === null && watch?.isTold() === true && now - active < quietMs) return;
    soon ??= setTimeout(() => {
      soon = undefined;
      active = performance.now();
      onActivity();
    }, activityMs);
  };
  const abort = (): void => resolve(null);
  signal.addEventListener('abort', abort, { once: true });
  const watchIt = (): void => {
    watch = watchFolder(dir, backstopMs, look);
    look(null);
  };
  const heard = options.runners?.listen(dir, ({ kind }) => {
    // What becomes of an agent without its shim nobody tells.
    if (kind === 'gone') isHeard = false;
    if (kind !== 'agent') look('status');
  });
  if (heard == null) isHeard = false;
  const moment = heard == null ? undefined : setTimeout(watchIt, momentMs);
  if (heard == null) watchIt();
  try {
    return await promise;
  } finally {
    clearTimeout(soon);
    clearTimeout(moment);
    signal.removeEventListener('abort', abort);
    heard?.[Symbol.dispose]();
    disposeOf(watch);
  }
}

function disposeOf(what: Disposable | null): void {
  what?.[Symbol.dispose]();
}

function endNow(dir: string, followed: ProcessIdentity, source: FactSource): AttemptEnd | null {
  const status = readStatus(dir);
  if (status.kind === 'exited') return endOf(dir, status);
  const now = bootId(source);
  if (now !== '' && followed.boot !== '' && now !== followed.boot)
    return endWithoutExit(dir, rebooted);
  const recorded = status.kind === 'running' || status.kind === 'claimed' ? status : null;
  const shim = alive(recorded?.shim ?? null, followed.boot, source);
  if (shim || liveness(followed, source) !== 'gone') return null;
  const agent = status.kind === 'running' ? status.agent : null;
  if (agent !== null && alive(agent, followed.boot, source)) return null;
  const last = readStatus(dir);
  if (last.kind === 'exited') return endOf(dir, last);
  return endWithoutExit(dir, last.kind === 'none' ? recordsGone : shimKilled);
}

function isLive(
  status: Extract<AttemptStatus, { kind: 'running' }>,
  boot: string,
  source: FactSource,
): boolean {
  return alive(status.shim, boot, source) || alive(status.agent, boot, source);
}

function alive(recorded: RecordedProcess | null, boot: string, source: FactSource): boolean {
  return recorded !== null && liveness({ ...recorded, boot }, source) !== 'gone';
}

function settled(
  dir: string,
  status: Extract<AttemptStatus, { kind: 'none' | 'void' | 'exited' }>,
): Recovered {
  if (status.kind !== 'exited' || status.agent === null) return { kind: 'never-started' };
  return { kind: 'ended', code: status.code, end: endOf(dir, status) };
}

/** The status once it is more than a claim, or the claim when the patience ends or its shim is gone. */
async function waitForAgent(dir: string, signal?: AbortSignal): Promise<AttemptStatus> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let status = readStatus(dir);
  const look = (): void => {
    try {
      status = readStatus(dir);
    } catch {
      // Read once more below, where a throw reaches the caller.
      return resolve();
    }
    const shimGone =
      status.kind === 'claimed' && status.shim !== null && identify(status.shim.pid) === 'gone';
    if (status.kind !== 'claimed' || shimGone) resolve();
  };
  using _watch = watchFolder(dir, 500, look);
  const patience = setTimeout(resolve, claimPatienceMs);
  const abort = (): void => resolve();
  signal?.addEventListener('abort', abort, { once: true });
  look();
  await promise;
  clearTimeout(patience);
  signal?.removeEventListener('abort', abort);
  return readStatus(dir);
}
