/** `czar daemon stop` and `restart`: the daemon ends; agents run on unless they are to finish or to be stopped. */
import { agentsAtEnd } from '../../api/contract.ts';
import { emptyState } from '../../core/evolve.ts';
import { openLogState } from '../../daemon/hold-log.ts';
import { daemonOf } from '../../daemon/holder.ts';
import { liveAgents } from '../../daemon/views/live-agents.ts';
import type { Place } from '../../daemon/place.ts';
import { needRoomToStart, spawnDaemon } from '../../daemon/start-daemon.ts';
import { clockTime, counted } from '../../report/figures.ts';
import { argsOf, listens, notStarted } from './daemon-start.ts';
import {
  endRevival,
  hasGone,
  makeWay,
  stays,
  tellToEnd,
  type Daemon,
  type Told,
} from './end-daemon.ts';
import { exits } from '../exit.ts';
import { findPlace } from '../find-place.ts';
import { clockOffset } from '../reading.ts';
import { insideAttempt } from '../steering.ts';
import type { CliContext } from '../verb.ts';

export interface StopOptions {
  readonly agents: string;
}

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
  if (daemon === null) return stopRevival(context, place);
  const told = await tellToEnd(context, daemon, { place, agents });
  if (told === null) return;
  if (told.agents > 0 && agents !== 'run-on')
    context.out.note(`${counted(told.agents, 'agent')} to wait for.`);
  const gone = await hasGone(daemon, { deaf: told.deaf, forEver: agents !== 'run-on' });
  if (gone === 'lives') return stays(context, daemon);
  report(context, daemon, { ...told, killed: gone === 'killed' });
}

export async function restart(context: CliContext): Promise<void> {
  if (await insideAttempt(context, 'daemon restart')) return;
  const place = findPlace(context);
  if (place === null) return;
  // Before the one that lives, or the guardian that would start it again, is ended for it.
  needRoomToStart(place);
  const lives = daemonOf(place);
  const before = lives ?? (await endRevival(place));
  if (before === null) return noDaemon(context);
  if (lives !== null && !(await makeWay(context, lives, place))) return;
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

/** The daemon is dead already: what is to be stopped is that its guardian starts it again. */
async function stopRevival(context: CliContext, place: Place): Promise<void> {
  const died = await endRevival(place);
  if (died === null) return noDaemon(context);
  const live = liveAgents(openLogState(place) ?? emptyState(), context.now());
  context.out.note('It had died; its guardian does not start it again.');
  report(context, died, { ...live, deaf: false, killed: false });
}

function report(
  context: CliContext,
  daemon: Daemon,
  { agents, until, killed }: Told & { readonly killed: boolean },
): void {
  if (context.options.json) {
    const at = until === null ? null : new Date(until).toISOString();
    return context.out.json({ v: 1, pid: daemon.pid, agents, until: at, killed });
  }
  context.out.line(
    killed
      ? `The daemon did not answer and was killed (pid ${daemon.pid}); nothing is lost.`
      : `The daemon has ended (pid ${daemon.pid}).`,
  );
  if (until === null) return;
  const clock = clockTime(until, clockOffset(context.now()));
  context.out.note(
    `${counted(agents, 'agent')} ${agents === 1 ? 'runs' : 'run'} on, until ${clock} when nobody takes them up: czar daemon start does.`,
  );
}

/** Says that there is no daemon. */
export function noDaemon(context: CliContext): void {
  context.fail({
    exit: exits.nothing,
    what: 'no daemon lives in this repository',
    next: 'czar daemon start starts one',
  });
}
