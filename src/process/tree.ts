/**
 * Ends everything that an attempt started, also what left its session and its process group.
 *
 * A process is of the tree when it carries the marker in its environment, descends from one that does, is in the shim's
 * session, is in the control group that the shim has for it, was of the tree in an earlier look; or, having lost its parent, when it works in the attempt's tree or has
 * its stdio in the attempt's folder. Without a control group that is best effort: a process
 * that hid all of it is not found.
 *
 * Invariants: a stranger is never signalled, nor this process or one above it; a process is known by pid and start time
 * from the look that found it to the signal; zombies are over. The shim and the watchdog are left to end by themselves
 * and only ended when they do not.
 */
import { resolve, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessIdentity } from '../core/events.ts';
import { companions, groupOf, heldBy, type Companions } from './companions.ts';
import { quieten } from './control-group.ts';
import { hasEnded, liveness } from './identity.ts';
import { readStatus, readWatchdog, type RecordedProcess } from './status.ts';
import {
  listProcesses,
  readBootId,
  readEnvironment,
  readPlaces,
  readProcess,
  systemFacts,
} from './table.ts';
import type { FactSource, ProcessRow } from './table.ts';

export interface TreeQuery {
  /** Value of CZAR_ATTEMPT_KEY. */
  readonly marker: string;
  /** Processes known to be of the tree; those that are gone do not matter. */
  readonly roots: readonly ProcessIdentity[];
  /** The working tree, absolute. */
  readonly worktree: string | null;
  /** The attempt's folder, absolute: shim, agent and watchdog are read from there. */
  readonly attemptDir: string | null;
  /** What is known to be of other attempts, so that it need not be looked at. */
  readonly others?: OtherAttempts;
  readonly source?: FactSource;
}

/** Tells processes of other attempts, also of those that are yet to come. */
export interface OtherAttempts {
  /** Whether a pid that was given out in the last seconds need not be looked at. */
  readonly isKnown: (pid: number) => boolean;
  /** Whether a process is the child of a shim that does not have this attempt; it is known from then on. */
  readonly noteOfShim: (row: Pick<ProcessRow, 'pid' | 'ppid'>) => boolean;
}

export interface Member {
  readonly process: ProcessIdentity;
  /** Whether it is stopped (SIGSTOP). */
  readonly stopped: boolean;
}

export interface StopResult {
  readonly ended: readonly ProcessIdentity[];
  readonly survivors: readonly ProcessIdentity[];
}

/** How much of the grace a leader has for itself. */
const leadersShare = 0.75;
/** Rounds of killing before it is given up. */
const maxRounds = 200;
const roundMs = 10;
/** How long the shim may take to record the exit, and the watchdog to end, milliseconds. */
const companionPatienceMs = 2_000;

/**
 * The processes of the tree that run now, without the shim and the watchdog: who started others before those, so that a
 * script is told to end before it could go on with what comes after the command that was ended.
 */
export function scan(query: TreeQuery): readonly Member[] {
  const { attemptDir, source = systemFacts } = query;
  return scanBeside(query, companions(attemptDir, readBootId(source))).members;
}

interface Look {
  readonly members: readonly Member[];
  /** Whether the kernel too shows nothing that the attempt started: it has exited, and its group holds its shim alone. */
  readonly isConfirmed: boolean;
}

function scanBeside(query: TreeQuery, attempt: Companions): Look {
  const { marker, worktree, attemptDir, others, source = systemFacts } = query;
  const boot = readBootId(source);
  // Nothing of an attempt began before its agent; once the agent has ended, neither shim nor root are asked for.
  const isTold = source.platform === 'proc' && attempt.exited && query.roots.length <= 1;
  const since = isTold ? attempt.agent : null;
  const shown = listProcesses(
    source,
    since === null ? undefined : { ...since, isOther: others?.isKnown },
  );
  const rows = (shown ?? []).filter(
    (row) =>
      !hasEnded(row.state) &&
      (since === null || !(isOlder(row, since) || others?.noteOfShim(row) === true)),
  );
  const byPid = new Map(rows.map((row) => [row.pid, row]));
  const ownShim = find(attempt.shim, byPid);
  // After the exit it may have another attempt, whose processes are its children and in its session.
  const shim = attempt.exited ? undefined : ownShim;
  const watchdog = find(attempt.watchdog, byPid);
  const excluded = selfAndAbove(byPid);
  const candidates = rows.filter(
    (row) => !excluded.has(row.pid) && row !== ownShim && row !== watchdog,
  );
  const held = heldBy(attemptDir, attempt);
  const roots = new Set(
    [...query.roots, ...(attempt.agent === null ? [] : [{ ...attempt.agent, boot }])]
      .filter((root) => root.boot === boot && byPid.get(root.pid)?.start === root.start)
      .map((root) => root.pid),
  );

  const entry = `CZAR_ATTEMPT_KEY=${marker}`;
  const members = new Set<number>();
  const strays: ProcessRow[] = [];
  for (const row of candidates) {
    const environment = row.ppid === kernel ? null : readEnvironment(row.pid, source);
    const ofSession = shim !== undefined && (row.session === shim.pid || row.group === shim.pid);
    const known = roots.has(row.pid) || held?.has(row.pid) === true;
    if (known || ofSession || environment?.includes(entry) === true) members.add(row.pid);
    else if (!(environment ?? []).some((item) => item.startsWith('CZAR_ATTEMPT_KEY=')))
      strays.push(row);
  }
  const close = (): void => {
    for (let before = -1; before !== members.size;) {
      before = members.size;
      for (const row of candidates) {
        const below = members.has(row.ppid) || (shim !== undefined && row.ppid === shim.pid);
        if (below && row.ppid !== watchdog?.pid) members.add(row.pid);
      }
    }
  };
  close();
  for (const row of strays) {
    if (
      members.has(row.pid) ||
      !isOrphan(row, source) ||
      isOlder(row, attempt.agent ?? attempt.shim)
    )
      continue;
    const places = readPlaces(row.pid, source);
    const works = worktree !== null && places.cwd !== null && isInside(places.cwd, worktree);
    const writes =
      attemptDir !== null && places.stdio.some((target) => isInside(target, attemptDir));
    if (works || writes) members.add(row.pid);
  }
  close();
  const depth = depths(candidates.filter((row) => members.has(row.pid)));
  return {
    members: [...depth.keys()]
      .toSorted((a, b) => (depth.get(a) ?? 0) - (depth.get(b) ?? 0) || b.pid - a.pid)
      .map((row) => ({
        process: { pid: row.pid, start: row.start, boot },
        stopped: row.state === 'T' || row.state === 't',
      })),
    isConfirmed:
      attempt.exited && held?.size === 1 && attempt.shim !== null && held.has(attempt.shim.pid),
  };
}

/** How many of the same rows stand above each. */
function depths(rows: readonly ProcessRow[]): ReadonlyMap<ProcessRow, number> {
  const byPid = new Map(rows.map((row) => [row.pid, row]));
  const known = new Map<ProcessRow, number>();
  for (const row of rows) {
    const chain: ProcessRow[] = [];
    let above: ProcessRow | undefined = row;
    for (; above !== undefined && !known.has(above); above = byPid.get(above.ppid)) {
      // Two looks at one table may disagree: a pid that came again is no ancestor of itself.
      if (chain.length > rows.length) break;
      chain.push(above);
    }
    let depth = above === undefined ? -1 : (known.get(above) ?? -1);
    for (const one of chain.toReversed()) known.set(one, (depth += 1));
  }
  return known;
}

/**
 * Ends the tree: SIGTERM, the grace, then SIGKILL until two looks in a row find nothing. An abort of `signal` ends the
 * waiting, and what is left is in `survivors`. A `leader` is told alone first, and has most of the grace to end the
 * others in its own way.
 */
export async function stopTree(
  query: TreeQuery & {
    readonly graceMs: number;
    readonly leader?: ProcessIdentity | null;
    readonly signal?: AbortSignal;
  },
): Promise<StopResult> {
  const { source = systemFacts, leader = null, signal } = query;
  const seen = new Map<string, ProcessIdentity>();
  let beside: Companions | null = null;
  let isConfirmed = false;
  const look = (): readonly Member[] => {
    // After the exit nothing more is written of them but who the watchdog is.
    if (beside?.exited !== true) beside = companions(query.attemptDir, readBootId(source));
    const roots = [...query.roots, ...seen.values()];
    const now = scanBeside({ ...query, roots }, beside);
    const found = now.members;
    isConfirmed = now.isConfirmed;
    for (const { process } of found) seen.set(`${process.pid} ${process.start}`, process);
    return found;
  };
  const isAlive = (process: ProcessIdentity): boolean => liveness(process, source) === 'alive';

  const tell = (member: Member): void => {
    send(member.process, 'SIGTERM', source);
    // A stopped process gets its SIGTERM only when it goes on.
    if (member.stopped) send(member.process, 'SIGCONT', source);
  };
  const deadline = Date.now() + query.graceMs;
  const whileAlive = async (who: () => readonly ProcessIdentity[], until: number) => {
    for (let pause = 5; Date.now() < until && who().some(isAlive);) {
      if (!(await wait(Math.min(pause, until - Date.now()), signal))) return false;
      pause = Math.min(pause * 2, 100);
    }
    return true;
  };

  const before = leader === null ? [] : look();
  const leading = before.filter(
    ({ process: { pid, start } }) => pid === leader?.pid && start === leader.start,
  );
  for (const member of leading) tell(member);
  const alone = deadline - query.graceMs * (1 - leadersShare);
  if (!(await whileAlive(() => leading.map((member) => member.process), alone)))
    return result(seen, isAlive);

  const first = look();
  for (const member of first) tell(member);
  if (!(await whileAlive(() => [...seen.values()], deadline))) return result(seen, isAlive);
  // The first look counts: when it was empty, one more makes two in a row; the kernel's own list is one.
  let empty = first.length > 0 ? 0 : isConfirmed ? 2 : 1;
  using held = new DisposableStack();
  let killed = false;
  let quiet: Disposable | null = null;
  for (let round = 0; round < maxRounds && empty < 2; round += 1) {
    const found = look();
    empty = found.length === 0 ? empty + 1 : 0;
    const group = found.length === 0 ? null : groupOf(query.attemptDir);
    // They start others faster than they are killed: now nobody can.
    if (killed && group !== null) quiet ??= held.use(quieten(group));
    killed ||= found.length > 0;
    if (group === null && found.length > few)
      for (const member of found) send(member.process, 'SIGSTOP', source);
    for (const member of found) send(member.process, 'SIGKILL', source);
    if (empty < 2 && !(await wait(roundMs, signal))) return result(seen, isAlive);
  }
  await endCompanions(query, beside, seen, isAlive);
  return result(seen, isAlive);
}

/** So many processes are killed faster than they start others; of more the first are stopped meanwhile. */
const few = 8;

const kernel = 2;

/** The watchdog ends by itself when the tree is gone; the shim records the exit and has another attempt, or ends. */
async function endCompanions(
  query: TreeQuery & { readonly signal?: AbortSignal },
  known: Companions | null,
  seen: Map<string, ProcessIdentity>,
  isAlive: (process: ProcessIdentity) => boolean,
): Promise<void> {
  const { attemptDir, source = systemFacts, signal } = query;
  if (attemptDir === null) return;
  const boot = readBootId(source);
  const { shim, watchdog, exited } =
    known?.exited === true
      ? { ...known, watchdog: readWatchdog(attemptDir) }
      : companions(attemptDir, boot);
  const hasExited = (): boolean => exited || readStatus(attemptDir).kind === 'exited';
  // SIGUSR1 tells the watchdog that there is nothing left to guard.
  for (const [found, word, isOver] of [
    [shim, 'SIGCONT', hasExited],
    [watchdog, 'SIGUSR1', () => false],
  ] as const) {
    const companion = found === null ? null : { ...found, boot };
    if (companion === null || isOver() || !isAlive(companion)) continue;
    seen.set(`${companion.pid} ${companion.start}`, companion);
    send(companion, word, source);
    const deadline = Date.now() + companionPatienceMs;
    let killed = false;
    for (let round = 0; round < maxRounds * 2 && !isOver() && isAlive(companion); round += 1) {
      if (Date.now() > deadline && !killed) {
        killed = true;
        send(companion, 'SIGKILL', source);
      }
      if (!(await wait(roundMs, signal))) return;
    }
    // A shim that recorded the exit is nobody's survivor.
    if (isOver()) seen.delete(`${companion.pid} ${companion.start}`);
  }
}

function find(
  recorded: RecordedProcess | null,
  byPid: ReadonlyMap<number, ProcessRow>,
): ProcessRow | undefined {
  if (recorded === null) return undefined;
  const row = byPid.get(recorded.pid);
  return row?.start === recorded.start ? row : undefined;
}

function selfAndAbove(byPid: ReadonlyMap<number, ProcessRow>): ReadonlySet<number> {
  const found = new Set([0, 1, kernel, process.pid, process.ppid]);
  for (let row = byPid.get(process.ppid); row !== undefined; row = byPid.get(row.ppid)) {
    if (found.has(row.ppid)) break;
    found.add(row.ppid);
  }
  return found;
}

/**
 * Whether it lost its parent and has no terminal, as a daemonised child of an attempt. A person's shell or editor that
 * stands in the working tree has a terminal or a parent.
 */
function isOrphan(row: ProcessRow, source: FactSource): boolean {
  if (row.terminal) return false;
  if (row.ppid === 1) return true;
  const parent = readProcess(row.ppid, source);
  return parent !== null && parent !== 'unknown' && parent.name === 'systemd';
}

function isOlder(row: ProcessRow, first: RecordedProcess | null): boolean {
  if (first === null) return true;
  const [own, other] = [Number(row.start), Number(first.start)];
  return Number.isNaN(own) || Number.isNaN(other) || own < other;
}

function isInside(path: string, folder: string): boolean {
  const whole = resolve(folder);
  const found = path.replace(/ \(deleted\)$/, '');
  return found === whole || found.startsWith(whole + sep);
}

/** Signals exactly this process: its start time is looked at immediately before. */
function send(member: ProcessIdentity, signal: NodeJS.Signals, source: FactSource): void {
  if (liveness(member, source) !== 'alive') return;
  try {
    process.kill(member.pid, signal);
  } catch {
    // Gone in between, or not ours: the next look tells.
  }
}

async function wait(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await sleep(Math.max(ms, 1), undefined, signal === undefined ? {} : { signal });
    return true;
  } catch {
    return false;
  }
}

function result(
  seen: ReadonlyMap<string, ProcessIdentity>,
  isAlive: (process: ProcessIdentity) => boolean,
): StopResult {
  const all = [...seen.values()];
  return {
    ended: all.filter((process) => !isAlive(process)),
    survivors: all.filter(isAlive),
  };
}
