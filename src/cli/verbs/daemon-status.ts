/** `czar daemon status`: whether a daemon lives, since when, who starts it again, and what it has to do. */
import { isRunLive } from '../../core/state.ts';
import { greet } from '../../api/client.ts';
import {
  daemonOf,
  diedHolder,
  guardianGaveUp,
  holderOf,
  isThere,
  listenerOf,
} from '../../daemon/holder.ts';
import type { Place } from '../../daemon/place.ts';
import { openLogState } from '../../daemon/hold-log.ts';
import { packageVersion } from '../../daemon/version.ts';
import { counted, spanText } from '../../report/figures.ts';
import { gaveUpText } from '../../report/unattended.ts';
import { exits } from '../exit.ts';
import { findPlace } from '../find-place.ts';
import type { CliContext } from '../verb.ts';

export async function status(context: CliContext): Promise<void> {
  const place = findPlace(context);
  if (place === null) return;
  const daemon = daemonOf(place);
  if (daemon === null) {
    const holder = holderOf(place);
    const lost = lostDaemon(place);
    return context.fail({
      exit: exits.nothing,
      what: lost ?? 'no daemon lives in this repository',
      where:
        holder?.socket == null
          ? null
          : `a czar ${holder.verb ?? 'run'} goes on in a terminal, pid ${holder.pid}`,
      next:
        lost === null
          ? 'czar daemon start starts one'
          : 'czar daemon logs tells why; czar daemon start starts it again',
    });
  }
  const { pid, version, socket } = daemon;
  const { since, guardian, exitWhenWaiting } = daemon.daemon;
  const guarded = guardian !== null && isThere(guardian);
  const listener = listenerOf(daemon);
  const found = listener === null ? 'unreachable' : await greet(listener);
  const isLost = found === 'hung' || found === 'stranger';
  if (isLost) context.exit(exits.refused);
  const mine = packageVersion();
  const runs = [...(openLogState(place)?.runs.values() ?? [])].filter(isRunLive);
  if (context.options.json) {
    return context.out.json({
      v: 1,
      pid,
      version,
      started_at: new Date(since).toISOString(),
      socket,
      guardian: guarded ? guardian.pid : null,
      answers: found === 'there',
      exit_when_waiting: exitWhenWaiting,
      runs: runs.map(({ id, state }) => ({ id, state })),
    });
  }
  context.out.line(
    `A daemon lives: pid ${pid}, czar ${version}, for ${spanText(context.now() - since)}.`,
  );
  if (isLost) {
    context.out.line(
      found === 'hung'
        ? 'It does not answer: it is stopped, or hangs. czar daemon restart replaces it; its agents run on.'
        : 'Another program listens in its place. czar daemon restart makes it listen anew; its agents run on.',
    );
  }
  if (version !== mine)
    context.out.line(`This command is czar ${mine}: czar daemon restart changes to it.`);
  context.out.line(
    guarded
      ? `Its guardian is pid ${guardian.pid}.`
      : 'It has no guardian: nobody starts it again when it dies. czar daemon restart gives it one.',
  );
  context.out.line(
    runs.length === 0
      ? 'No run is live.'
      : `${counted(runs.length, 'live run')}: ${runs.map(({ id, state }) => `${id} (${state})`).join(', ')}.`,
  );
}

/** That a daemon has died and how, in a sentence; null when none has. */
function lostDaemon(place: Place): string | null {
  const gaveUp = guardianGaveUp(place);
  if (gaveUp !== null) return gaveUpText(gaveUp);
  const died = diedHolder(place);
  if (died?.daemon === undefined) return null;
  const { guardian } = died.daemon;
  const then =
    guardian !== null && isThere(guardian)
      ? 'its guardian starts it again'
      : 'nobody starts it again';
  return `the daemon (pid ${died.pid}) has died, and ${then}`;
}
