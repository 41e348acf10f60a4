/**
 * Ending the daemon that lives. One that answers is asked; one of another version, or that nobody hears, gets SIGTERM; one
 * that hangs and does not end is killed, its guardian first told that this is no death. Whatever it takes, agents run on:
 * nothing is lost by killing a daemon.
 */
import { askEnd, type Unasked } from '../../api/client.ts';
import type { agentsAtEnd } from '../../api/contract.ts';
import { diedHolder, isAlive, isThere, listenerOf, type daemonOf } from '../../daemon/holder.ts';
import { openLogState } from '../../daemon/hold-log.ts';
import { liveAgents } from '../../daemon/views/live-agents.ts';
import type { Place } from '../../daemon/place.ts';
import { emptyState } from '../../core/evolve.ts';
import { exits } from '../exit.ts';
import { refuse } from '../steering.ts';
import type { CliContext } from '../verb.ts';

export type Daemon = NonNullable<ReturnType<typeof daemonOf>>;

/** What was said when it was told to end. */
export interface Told {
  /** Agents that live, and until when they do so by themselves. */
  readonly agents: number;
  readonly until: number | null;
  /** It did not answer. */
  readonly deaf: boolean;
}

/** How long one that lets agents run on may take to end, and one that does not answer before it is killed, milliseconds. */
const patienceMs = 60_000;
const deafMs = 5_000;
/** How long a guardian may take that has been told to end with its daemon, milliseconds. */
const guardianMs = 2_000;
const lookMs = 25;

/** Tells it to end; null when it refused, or nobody could be asked for what needs an answer, which has been said. */
export async function tellToEnd(
  context: CliContext,
  daemon: Daemon,
  { place, agents }: { readonly place: Place; readonly agents: (typeof agentsAtEnd)[number] },
): Promise<Told | null> {
  const listener = listenerOf(daemon);
  const reply = listener === null ? 'unreachable' : await askEnd(listener, { agents });
  if (typeof reply === 'object') {
    if (reply.ok) return { agents: reply.agents, until: reply.until, deaf: false };
    refuse(context, reply.rejection);
    return null;
  }
  if (agents === 'run-on') {
    if (isAlive(daemon)) signal(daemon.pid, 'SIGTERM');
    const live = liveAgents(openLogState(place) ?? emptyState(), context.now());
    return { ...live, deaf: reply === 'hung' };
  }
  context.fail({
    exit: exits.refused,
    what: whyUnasked[reply],
    where: `pid ${daemon.pid}`,
    next: 'czar daemon stop ends it; its agents run on',
  });
  return null;
}

const whyUnasked: Readonly<Record<Unasked, string>> = {
  unreachable: 'the daemon does not answer',
  hung: 'the daemon does not answer: it is stopped, or hangs',
  'not understood': 'the daemon is another version',
  stranger: 'another program listens in place of the daemon',
};

/** Waits until daemon and guardian are gone: `killed` when that was necessary, `lives` when it goes on after all. */
export async function hasGone(
  daemon: Daemon,
  { deaf, forEver }: { readonly deaf: boolean; readonly forEver: boolean },
): Promise<'ended' | 'killed' | 'lives'> {
  const { guardian } = daemon.daemon;
  if (!deaf) {
    const both = guardian === null ? [daemon] : [daemon, guardian];
    return (await areGone(both, forEver ? Infinity : patienceMs)) ? 'ended' : 'lives';
  }
  const ended = await areGone([daemon], deafMs);
  if (!ended) {
    if (guardian !== null && isAlive(guardian)) signal(guardian.pid, 'SIGTERM');
    if (isAlive(daemon)) signal(daemon.pid, 'SIGKILL');
    if (!(await areGone([daemon], guardianMs))) return 'lives';
  }
  if (guardian !== null) await ends(guardian);
  return ended ? 'ended' : 'killed';
}

/** Ends the guardian that is about to start a dead daemon again, and gives that daemon; null without one. */
export async function endRevival(place: Place): Promise<Daemon | null> {
  const died = diedHolder(place);
  const guardian = died?.daemon?.guardian ?? null;
  if (died?.daemon === undefined || guardian === null || !isAlive(guardian)) return null;
  signal(guardian.pid, 'SIGTERM');
  await ends(guardian);
  return isThere(guardian) ? null : { ...died, daemon: died.daemon };
}

/** Ends it with its agents running on, for another one to take its place; false when it stays, which has been said. */
export async function makeWay(context: CliContext, daemon: Daemon, place: Place): Promise<boolean> {
  const told = await tellToEnd(context, daemon, { place, agents: 'run-on' });
  if (told === null) return false;
  if ((await hasGone(daemon, { deaf: told.deaf, forEver: false })) !== 'lives') return true;
  stays(context, daemon);
  return false;
}

/** Says that it did not end. */
export function stays(context: CliContext, daemon: Daemon): void {
  context.fail({
    exit: exits.failed,
    what: 'the daemon was told to end and still lives',
    where: `pid ${daemon.pid}`,
    next: 'czar daemon logs tells more',
  });
}

/** Waits for a guardian that was told to end; one that hangs with its daemon hears as little. */
async function ends(guardian: Parameters<typeof isThere>[0]): Promise<void> {
  if ((await areGone([guardian], guardianMs)) || !isAlive(guardian)) return;
  signal(guardian.pid, 'SIGKILL');
  await areGone([guardian], guardianMs);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}

async function areGone(
  all: readonly Parameters<typeof isThere>[0][],
  patience: number,
): Promise<boolean> {
  const deadline = performance.now() + patience;
  while (all.some(isThere)) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
  return true;
}
