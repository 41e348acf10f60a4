/**
 * `czar daemon start`: starts a daemon where none lives, waits until it listens, and asks it to begin. What would be
 * refused is refused before anything is started. Of several at once one starts it, and all of them ask it.
 */
import type { Beginning } from '../../daemon/begin.ts';
import { guardianGaveUp, daemonOf, holderOf, isThere } from '../../daemon/holder.ts';
import { tellGaveUp } from '../../daemon/notify-gave-up.ts';
import type { Place } from '../../daemon/place.ts';
import {
  awaitsBeginning,
  needRoomToStart,
  spawnDaemon,
  wouldBegin,
} from '../../daemon/start-daemon.ts';
import { hostDaemon, hostGuarded, type HostOptions } from './daemon-host.ts';
import { makeWay, type Daemon } from './end-daemon.ts';
import { exits } from '../exit.ts';
import { heldBy } from '../held-by.ts';
import { findFacts } from '../find-facts.ts';
import { findPlace } from '../find-place.ts';
import { isObstructed } from '../obstacle.ts';
import { insideAttempt } from '../steering.ts';
import { beginThroughDaemon } from '../through-daemon.ts';
import type { CliContext } from '../verb.ts';
import {
  askingFor,
  sayRefusal,
  settlesChanges,
  wrongOptions,
  type Asking,
  type BeginOptions,
} from '../wanted.ts';

export interface StartOptions extends BeginOptions, HostOptions {
  readonly foreground?: boolean;
  /** What its guardian said; true when it is in its file alone. */
  readonly gaveUp?: string | true;
}

/** How long a daemon may take to listen, milliseconds, and how often is looked. */
const patienceMs = 60_000;
const lookMs = 25;

export async function start(
  context: CliContext,
  scope: readonly string[],
  options: StartOptions,
): Promise<void> {
  if (await insideAttempt(context, 'daemon start')) return;
  const wrong = wrongOptions(options, scope);
  if (wrong !== null)
    return context.fail({ exit: exits.wrong, what: wrong, next: 'czar help daemon start' });
  const place = findPlace(context);
  if (place === null) return;
  const { gaveUp } = options;
  if (gaveUp !== undefined) {
    const say = (line: string): void => context.out.note(line);
    const said = gaveUp === true ? '' : gaveUp;
    return tellGaveUp(place, { env: { ...context.env }, say, said, now: context.now() });
  }
  const folders = ['workers', 'worktrees', 'runs', 'logs'] as const;
  if (isObstructed(context, place, { folders, state: true })) return;
  const facts = await findFacts(context, place);
  if (facts === null) return;
  if (options.guarded === true) {
    return hostGuarded(context, { place, facts, options });
  }
  const lives = daemonOf(place);
  // Before anything is written for it, or a daemon without guardian makes way.
  if (options.foreground !== true && (lives === null || isUnguarded(lives))) needRoomToStart(place);
  const asking = await askingFor(context, place, scope, options);
  if (asking === null) return;
  const began =
    options.foreground === true
      ? await hostDaemon(context, { place, facts, asking, options })
      : await inBackground(context, { place, asking, options, facts });
  if (began === false) asking.undo();
}

interface At {
  readonly place: Place;
  readonly facts: Parameters<typeof wouldBegin>[0]['facts'];
  readonly asking: Asking;
  readonly options: StartOptions;
}

/** Whether something began; what stood in the way has been said. */
async function inBackground(context: CliContext, at: At): Promise<boolean> {
  const { place, options } = at;
  let { wanted } = at.asking;
  if (isLedByRun(context, place)) return false;
  let already = daemonOf(place);
  if (already !== null && isUnguarded(already)) {
    if (!(await makeWay(context, already, place))) return false;
    context.out.note(
      `The daemon that lived (pid ${already.pid}) had lost its guardian: another one takes its place, no agent is stopped.`,
    );
    already = daemonOf(place);
  }
  let guardian: number | null = null;
  if (already === null) {
    const found = await wouldBegin({
      ...at,
      wanted,
      now: context.now(),
      path: context.env['PATH'] ?? '',
    });
    if (!found.ok) {
      if (!(await settlesChanges(context, found.refusal.differences))) {
        sayRefusal(context, found.refusal);
        return false;
      }
      wanted = { ...wanted, changes: 'amend' };
    } else if (found.over) return nothingToDo(context, found);
    else if (options.exitWhenWaiting === true && found.waits) return waits(context, found);
    const env = { ...context.env, [awaitsBeginning]: '1' };
    guardian = spawnDaemon(place, { args: argsOf(context, place, options), env });
    if (!(await listens(place))) {
      if (!isLedByRun(context, place)) notStarted(context, place);
      return false;
    }
  }
  const begun = await beginThroughDaemon(context, place, wanted);
  if (begun === null) return false;
  if (begun === 'gone') return inBackground(context, at);
  const daemon = daemonOf(place);
  const pid = daemon?.pid ?? null;
  // Of several starts at once the lock chose one.
  const attached = guardian === null || daemon?.daemon.guardian?.pid !== guardian;
  const { run, started } = begun;
  if (context.options.json) {
    context.out.json({ v: 1, pid, run, started, attached });
  } else {
    const who = attached ? 'A daemon lives already' : 'The daemon is started';
    const what = started ? `it has started run ${run}` : `it goes on with run ${run}`;
    context.out.line(`${who} (pid ${pid ?? 'gone'}): ${what}.`);
    context.out.note('czar status shows the run; czar daemon stop ends the daemon.');
  }
  return true;
}

/** Whether a `czar run` leads the runs here, in a terminal, or another verb is at work, which is said then. */
function isLedByRun(context: CliContext, place: Place): boolean {
  const holder = runThatLeads(place);
  if (holder === null) return false;
  if (holder.verb !== undefined) context.fail(heldBy(holder));
  else
    context.fail({
      exit: exits.refused,
      what: 'a czar run is going on in a terminal here',
      where: `pid ${holder.pid}`,
      next: 'Ctrl-C there ends it, agents finish; then czar daemon start',
    });
  return true;
}

/** The `czar run` that leads the runs here, or a verb that has a loop of its own; null when none does. */
function runThatLeads(place: Place): ReturnType<typeof holderOf> {
  const holder = holderOf(place);
  return holder?.socket != null && holder.daemon === undefined ? holder : null;
}

/** Whether it was started under a guardian that is gone: nobody would start it again. */
function isUnguarded({ daemon: { guardian } }: Daemon): boolean {
  return guardian !== null && !isThere(guardian);
}

/** The run waits for a person, and the daemon is to end then: there is nothing to start one for. */
function waits(context: CliContext, { run }: Beginning): true {
  if (context.options.json)
    context.out.json({ v: 1, pid: null, run, started: false, attached: false });
  else context.out.line(`Run ${run} waits for you: no daemon is started.`);
  context.out.note('czar inbox shows for what');
  context.exit(exits.waiting);
  return true;
}

/** The run is complete: no daemon is needed for that. */
function nothingToDo(context: CliContext, { run, notes }: Beginning): true {
  for (const note of notes) context.out.note(note);
  if (context.options.json)
    context.out.json({ v: 1, pid: null, run, started: false, attached: false });
  return true;
}

/** What the guardian starts: the same repository and home, in the foreground of nobody. */
export function argsOf(
  context: CliContext,
  place: Place,
  options: Pick<StartOptions, 'exitWhenWaiting' | 'verbose'>,
): readonly string[] {
  return [
    'daemon',
    'start',
    '--guarded',
    '--no-color',
    '--repo',
    place.root,
    ...(context.options.czarDir === null ? [] : ['--czar-dir', place.home.path]),
    ...(options.exitWhenWaiting === true ? ['--exit-when-waiting'] : []),
    ...(options.verbose === true ? ['--verbose'] : []),
  ];
}

/** Waits until a daemon listens; false when none does for long, its guardian gave up, or a `czar run` was quicker. */
export async function listens(place: Place): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    if (daemonOf(place) !== null) return true;
    if (guardianGaveUp(place) !== null || runThatLeads(place) !== null) return false;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
  return false;
}

/** Says that no daemon came up. */
export function notStarted(context: CliContext, place: Place): void {
  const gaveUp = guardianGaveUp(place);
  context.fail({
    exit: exits.failed,
    what:
      gaveUp === null
        ? 'the daemon does not come up'
        : `the daemon died ${gaveUp.deaths} times in ten minutes, the last time with exit code ${gaveUp.code}`,
    where: `${place.home.name}/logs/daemon.log`,
    next: 'czar daemon logs tells more',
  });
}
