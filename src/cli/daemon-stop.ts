/** `czar daemon stop` and `restart`: the daemon ends; agents run on unless they are to finish or to be stopped. */
import { askEnd } from '../api/client.ts';
import { agentsAtEnd, type Ended } from '../api/contract.ts';
import { daemonOf, isAlive, isThere } from '../daemon/holder.ts';
import { spawnDaemon } from '../daemon/start-daemon.ts';
import { clockTime, counted } from '../report/figures.ts';
import { argsOf, listens, notStarted } from './daemon-start.ts';
import { exits } from './exit.ts';
import { findPlace } from './find-place.ts';
import { clockOffset } from './reading.ts';
import { insideAttempt, refuse } from './steering.ts';
import type { CliContext } from './verb.ts';

export interface StopOptions {
  readonly agents: string;
}

type Daemon = NonNullable<ReturnType<typeof daemonOf>>;

const lookMs = 25;

/** How long a daemon that lets agents run on may take to end, milliseconds. */
const patienceMs = 60_000;

export async function stop(context: CliContext, options: StopOptions): Promise<void> {
  if (await insideAttempt(context, 'daemon stop')) return;
  const agents = agentsAtEnd.find((one) => one === options.agents);
  if (agents === undefined) {
    return context.fail({
      exit: exits.wrong,
      what: `there is no way to end agents called ${options.agents}`,
      next: `--agents ${agentsAtEnd.join(', ')}`,
    });
  }
  const place = findPlace(context);
  if (place === null) return;
  const daemon = daemonOf(place);
  if (daemon === null) return noDaemon(context);
  const ended = await tellToEnd(context, daemon, agents);
  if (ended === null) return;
  if (ended.agents > 0 && agents !== 'run-on')
    context.out.note(`${counted(ended.agents, 'agent')} to wait for.`);
  if (!(await isGone(daemon, agents === 'run-on' ? patienceMs : Infinity)))
    return stays(context, daemon);
  report(context, daemon, ended);
}

export async function restart(context: CliContext): Promise<void> {
  if (await insideAttempt(context, 'daemon restart')) return;
  const place = findPlace(context);
  if (place === null) return;
  const before = daemonOf(place);
  if (before === null) return noDaemon(context);
  if ((await tellToEnd(context, before, 'run-on')) === null) return;
  if (!(await isGone(before, patienceMs))) return stays(context, before);
  const { exitWhenWaiting } = before.daemon;
  spawnDaemon(place, {
    args: argsOf(context, place, { exitWhenWaiting }),
    env: { ...context.env },
  });
  if (!(await listens(place))) return notStarted(context, place);
  const pid = daemonOf(place)?.pid ?? null;
  if (context.options.json) context.out.json({ v: 1, pid, before: before.pid });
  else
    context.out.line(`The daemon is started again (pid ${pid ?? 'gone'}); no agent was stopped.`);
}

/** Null when it refused, which has been said. One of another version, or that does not listen, gets a signal. */
async function tellToEnd(
  context: CliContext,
  daemon: Daemon,
  agents: (typeof agentsAtEnd)[number],
): Promise<Extract<Ended, { ok: true }> | null> {
  const reply = daemon.socket === null ? 'unreachable' : await askEnd(daemon.socket, { agents });
  if (reply !== 'unreachable' && reply !== 'not understood') {
    if (reply.ok) return reply;
    refuse(context, reply.rejection);
    return null;
  }
  if (agents === 'run-on') {
    if (isAlive(daemon)) signal(daemon.pid);
    return { v: 1, ok: true, agents: 0, until: null };
  }
  context.fail({
    exit: exits.refused,
    what: reply === 'unreachable' ? 'the daemon does not answer' : 'the daemon is another version',
    where: `pid ${daemon.pid}`,
    next: 'czar daemon stop ends it; its agents run on',
  });
  return null;
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended by itself.
  }
}

async function isGone(daemon: Daemon, patience: number): Promise<boolean> {
  const deadline = performance.now() + patience;
  const { guardian } = daemon.daemon;
  while (isThere(daemon) || (guardian !== null && isThere(guardian))) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
  return true;
}

function report(context: CliContext, daemon: Daemon, ended: Extract<Ended, { ok: true }>): void {
  const { agents, until } = ended;
  if (context.options.json) {
    const at = until === null ? null : new Date(until).toISOString();
    return context.out.json({ v: 1, pid: daemon.pid, agents, until: at });
  }
  context.out.line(`The daemon has ended (pid ${daemon.pid}).`);
  if (until === null) return;
  const clock = clockTime(until, clockOffset(context.now()));
  context.out.note(
    `${counted(agents, 'agent')} ${agents === 1 ? 'runs' : 'run'} on, until ${clock} when nobody takes them up: czar daemon start does.`,
  );
}

function stays(context: CliContext, daemon: Daemon): void {
  context.fail({
    exit: exits.failed,
    what: 'the daemon was told to end and still lives',
    where: `pid ${daemon.pid}`,
    next: 'czar daemon logs tells more',
  });
}

/** Says that there is no daemon. */
export function noDaemon(context: CliContext): void {
  context.fail({
    exit: exits.nothing,
    what: 'no daemon lives in this repository',
    next: 'czar daemon start starts one',
  });
}
