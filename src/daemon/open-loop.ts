/**
 * Opens the repository's loop: the lock first, then the log, then the workplace. Whoever holds it is the only one that
 * appends (A1); closing gives everything back in the opposite order. Nothing is appended or begun before the caller has
 * seen the state and wants to go on.
 */
import { createHash } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { evaluateWhen } from '../plan/expression.ts';
import type { Home } from '../plan/home.ts';
import { allDeleted, emptyTrash } from '../git/trees/discard.ts';
import { recoverLanding } from '../git/landing/land.ts';
import { gitContext, type GitContext } from '../git/context.ts';
import { OpenMirror } from '../git/mirror/open-mirror.ts';
import { emptyPool, sweepRecords } from '../git/trees/spare-trees.ts';
import type { RepositoryFacts } from '../git/repository.ts';
import { removeStaleLocks } from '../git/stale-locks.ts';
import { checkRoot } from '../gates/check-environment.ts';
import type { JournalError } from '../journal/journal.ts';
import type { DaemonFacts, Owner } from '../journal/lock.ts';
import { openJournal, type SqliteJournal } from '../journal/sqlite.ts';
import type { Rejection, Request } from '../core/commands.ts';
import type { Intent } from '../core/intents.ts';
import type { Event } from '../core/events.ts';
import { emptyState } from '../core/evolve.ts';
import type { RepositoryState } from '../core/state.ts';
import { identify } from '../process/identity.ts';
import { Meter } from '../process/meter.ts';
import { Ports } from '../process/ports.ts';
import { Runners } from '../process/runners.ts';
import { Loop } from './loop.ts';
import { Notifier } from './notify.ts';
import { performer } from './perform.ts';
import { eventLoop } from './scheduler.ts';
import { steadyClock } from './steady-clock.ts';
import { machineWatch } from '../plan/machine.ts';
import { openDerivedFiles } from './derived-files.ts';
import { gaveUpFile } from './holder.ts';
import { endLeftoverChecks } from './leftover-checks.ts';
import { takeLock } from './take-lock.ts';
import { watchLimits } from './watch-limits.ts';
import { crashPoint } from './crash-point.ts';
import { packageVersion } from './version.ts';
import {
  checkPool,
  reclaimTrees,
  socketPath,
  thisHost,
  treePool,
  type Workplace,
} from './workplace.ts';

export type { JournalError } from '../journal/journal.ts';
import { notUpdatedLines } from '../report/not-updated.ts';

export interface OpenLoop extends AsyncDisposable {
  readonly loop: Loop;
  readonly journal: SqliteJournal;
  readonly place: Workplace;
  /** Where the loop's socket belongs. */
  readonly socket: string;
  /** Why what was asked first is refused; null when it is not. */
  readonly rejection: Rejection | null;
  /** What the user should know of what was found at the start, each one sentence. */
  readonly notes: readonly string[];
}

/** From so many workers on memory counts for more than the time that it takes to collect it. */
const manyWorkers = 2_000;

/**
 * Whether what is over is collected sooner, and what is left on half-empty pages moved together: a third less memory at
 * large plans, for a twentieth more CPU.
 */
function keepHeapSmall(on: boolean): void {
  // 0 is V8's own way.
  setFlagsFromString(`--heap-growing-percent=${on ? 10 : 0}`);
  setFlagsFromString(on ? '--optimize-for-size' : '--no-optimize-for-size');
}

function countWorkers({ runs }: RepositoryState): number {
  let count = 0;
  for (const { workers } of runs.values()) count += workers.size;
  return count;
}

/**
 * Takes the lock and opens the loop, or says who has it; a verb that holds it for a moment is waited for. `admit`
 * decides on the state as it is found: with null the loop is not opened and the log stays as it was.
 */
export async function openLoop<Admitted>(options: {
  readonly facts: RepositoryFacts;
  readonly home: Home;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => number;
  /** What it says of itself when it runs in the background. */
  readonly daemon?: DaemonFacts;
  /** The verb that it is opened for alone, for whoever finds the repository held meanwhile. */
  readonly verb?: string;
  /** Which effects this loop performs; all when left out. */
  readonly only?: (intent: Intent) => boolean;
  readonly onCommit: (events: readonly Event[], state: RepositoryState) => void;
  /** Takes a line when somebody could not be told of an event, or changed limits cannot hold. */
  readonly onNotice: (line: string) => void;
  /** Told once when the log cannot be written for a while, and once more (null) when it can again. */
  readonly onStall?: (why: JournalError | null) => void;
  readonly admit: (state: RepositoryState, git: GitContext) => Promise<Admitted | null>;
  /** What is asked of the loop in the step in which it starts; nothing when left out. */
  readonly first?: (admitted: Admitted) => readonly Request[];
  /** Whether it launches nothing until it is released. */
  readonly held?: boolean;
}): Promise<
  | (OpenLoop & { readonly admitted: Admitted })
  | { readonly owner: Owner | null }
  | { readonly refused: true }
> {
  const { facts, home, env, now } = options;
  // How large a plan is shows once it has been read.
  let keptSmall = true;
  keepHeapSmall(keptSmall);
  const point = crashPoint(env);
  const where = { root: facts.root, commonDir: facts.commonDir, home: home.path, point };
  const mirror = new OpenMirror(gitContext(where).mirror);
  const git = gitContext({ ...where, open: mirror });
  const log = join(git.state, 'czar.db');
  const socket = socketPath(env, git.state, (text) =>
    createHash('sha256').update(text).digest('hex'),
  );
  // Without a log there is nothing that anyone could change meanwhile: what is refused makes nothing.
  const isFirst = !existsSync(log);
  const early = isFirst ? await options.admit(emptyState(), git) : null;
  if (isFirst && early === null) return { refused: true };
  const taken = await takeLock(git.state, {
    pid: process.pid,
    start: ownStart(),
    socket,
    version: packageVersion(),
    ...(options.verb === undefined ? {} : { verb: options.verb }),
    ...(options.daemon === undefined ? {} : { daemon: options.daemon }),
  });
  if ('owner' in taken) return taken;
  const { lock } = taken;
  try {
    await endLeftoverChecks(git);
    await removeStaleLocks(git);
    await reclaimTrees(git);
    const journal = openJournal(log);
    const runners = new Runners(join(git.state, 'shims'));
    const meter = new Meter();
    const place: Workplace = {
      git,
      home,
      runners,
      meter,
      ports: new Ports(join(dirname(checkRoot(env)), 'ports')),
      identity: facts.identity,
      origin: facts.origin,
      env,
      checks: checkRoot(env),
      now,
    };
    const clock = steadyClock({
      wall: now,
      elapsed: () => performance.now(),
      from: lastTime(journal),
    });
    const notifier = new Notifier({
      cwd: facts.root,
      env,
      say: options.onNotice,
      scheduler: eventLoop,
    });
    const loop = new Loop({
      journal,
      perform: performer(place),
      when: evaluateWhen,
      machine: machineWatch([home.path, git.state]),
      point,
      ...(options.only === undefined ? {} : { only: options.only }),
      ...(options.onStall === undefined ? {} : { stalled: options.onStall }),
      ...clock,
      committed: (events, state) => {
        const isLarge = countWorkers(state) >= manyWorkers;
        if (isLarge !== keptSmall) keepHeapSmall((keptSmall = isLarge));
        derived.update(events);
        options.onCommit(events, state);
        notifier.tell(events, state);
      },
    });
    const derived = openDerivedFiles(
      home.path,
      journal,
      (run, worker) => loop.state.runs.get(run)?.workers.get(worker)?.usage.source === 'none',
    );
    const asFound = loop.state.seq === 0 ? early : null;
    const admitted = asFound ?? (await options.admit(loop.state, git));
    if (admitted === null) {
      derived.close();
      journal.close();
      lock.release();
      return { refused: true };
    }
    // Before the first effect: a landing that is under way would work on the same checkout.
    const found = journal.note === null ? [] : [journal.note];
    const notes = [...found, ...(await landingNotes(git))];
    if (options.held === true) loop.hold();
    const [started, ...answers] = await Promise.all([
      loop.send({
        kind: 'loop-started',
        pid: process.pid,
        host: thisHost(),
        version: packageVersion(),
      }),
      ...(options.first?.(admitted) ?? []).map((request) => loop.send({ ...request, by: 'user' })),
    ]);
    if (!started.ok) {
      // The loop has ended with why it could not begin.
      await loop.until(() => true);
      throw new Error(started.rejection.what);
    }
    // What a guardian said of the last daemon is over.
    rmSync(gaveUpFile(git), { force: true });
    await sweepRecords(git, [dirname(treePool(place))]);
    const { root } = facts;
    const checkout = relative(facts.commonDir, facts.gitDir);
    const limits =
      options.only === undefined
        ? watchLimits({
            place: { root, home, checkout },
            env,
            loop,
            scheduler: eventLoop,
            say: options.onNotice,
          })
        : null;
    // Of an earlier loop that was killed.
    const emptied = clearSpares(place);
    return {
      loop,
      journal,
      place,
      socket,
      notes,
      admitted,
      rejection: answers.flatMap((answer) => (answer.ok ? [] : [answer.rejection]))[0] ?? null,
      async [Symbol.asyncDispose]() {
        limits?.[Symbol.dispose]();
        await loop.end('closed');
        const told = notifier.close();
        runners[Symbol.dispose]();
        await Promise.all([runners.rested(), meter[Symbol.asyncDispose]()]);
        await emptied;
        // What a failing disk does not let go is taken away by the next loop.
        await clearSpares(place).catch(() => undefined);
        await rm(dirname(checkPool(place)), { recursive: true, force: true }).catch(
          () => undefined,
        );
        await mirror[Symbol.asyncDispose]();
        derived.close();
        journal.close();
        lock.release();
        // Whoever takes the lock next need not wait for it.
        await told;
      },
    };
  } catch (error) {
    // Under a guardian that is a death, of which people are told.
    if (options.daemon?.guardian == null) lock.release();
    else lock.drop();
    throw error;
  }
}

/** Deletes trees that were given back or set aside: under the lock, so that nothing is half deleted after it. */
async function clearSpares(place: Workplace): Promise<void> {
  for (const pool of [treePool(place), checkPool(place)]) {
    await emptyPool(place.git, pool);
    await emptyTrash(dirname(pool));
  }
  await allDeleted();
}

/** Time of the last event, so that no pause begins anew; 0 in an empty log. */
function lastTime(journal: SqliteJournal): number {
  for (const event of journal.read({ newestFirst: true, limit: 1 })) return event.at;
  return 0;
}

/** Carries a landing through that a killed loop left half done in the user's checkout. */
async function landingNotes(git: GitContext): Promise<readonly string[]> {
  const found = await recoverLanding(git);
  if (found.kind === 'failed') return [`an interrupted landing waits: ${found.error}`];
  return notUpdatedLines(found.notUpdated);
}

function ownStart(): string {
  const self = identify(process.pid);
  return typeof self === 'string' ? '' : self.start;
}
