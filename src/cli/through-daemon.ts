/** Beginning a run in the daemon that lives. */
import { askBegin } from '../api/client.ts';
import type { Begun } from '../api/contract.ts';
import type { Wanted } from '../daemon/choose-run.ts';
import { daemonOf, diedHolder, holderOf, listenerOf } from '../daemon/holder.ts';
import type { Place } from '../daemon/place.ts';
import { exits } from './exit.ts';
import type { CliContext } from './verb.ts';
import { settlesChanges } from './wanted.ts';

/** How often, and at what distance (milliseconds), a daemon that does not listen yet is asked again. */
const tries = 100;
const pauseMs = 100;
/** After how many of them one that has ended with goodbye is taken to stay away: another may be about to take its place. */
const goneTries = 10;

/** What the daemon began; `gone` when it has ended meanwhile; null when it refused, or does not answer, which has been said. */
export async function beginThroughDaemon(
  context: CliContext,
  place: Place,
  wanted: Wanted,
): Promise<Extract<Begun, { ok: true }> | 'gone' | null> {
  const reply = await askPatiently(place, wanted);
  if (reply === 'gone') return reply;
  if (reply === null) {
    context.fail({
      exit: exits.nothing,
      what: 'the daemon of this repository does not answer',
      next: 'czar daemon logs tells more; czar daemon start starts one',
    });
    return null;
  }
  if (reply.ok) {
    for (const note of reply.notes) context.out.note(note);
    return reply;
  }
  const { rejection, where = null, differences = [], problems = [] } = reply;
  if (wanted.changes === null && (await settlesChanges(context, differences)))
    return beginThroughDaemon(context, place, { ...wanted, changes: 'amend' });
  for (const one of differences) context.out.note(`  ${one}`);
  for (const line of problems) context.out.error(line);
  const { exit, what, next } = rejection;
  context.fail({ exit, what: what.replace(/\.$/, ''), where, next });
  return null;
}

/** Null when no daemon answers for long. */
async function askPatiently(place: Place, wanted: Wanted): Promise<Begun | 'gone' | null> {
  let gone = 0;
  for (let left = tries; left > 0; left -= 1) {
    const listener = listenerOf(daemonOf(place));
    if (listener !== null) {
      const reply = await askBegin(listener, { checkout: place.checkout, wanted });
      if (reply !== 'unreachable') return reply;
    }
    gone = holderOf(place) === null && diedHolder(place) === null ? gone + 1 : 0;
    if (gone >= goneTries) return 'gone';
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  return null;
}
