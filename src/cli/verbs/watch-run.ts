/** Shows what a daemon does with a run until it is over; Ctrl-C looks away. */
import { goesOn, hasAgents } from '../../core/goes-on.ts';
import type { RepositoryState } from '../../core/state.ts';
import { holderOf } from '../../daemon/holder.ts';
import type { Place } from '../../daemon/place.ts';
import { exits } from '../exit.ts';
import { exitOf } from '../exit-of-run.ts';
import { reading, streamEnd } from '../reading.ts';
import type { RunDisplay } from '../run-display.ts';
import type { CliContext } from '../verb.ts';

/** For how long nobody may hold the repository before that is said: a guardian starts a daemon again meanwhile. */
const patienceMs = 30_000;
const lookMs = 1_000;

/** Shows what follows event `after`. Ends with the exit code that the run's state is; 3 when the daemon died and nobody started it again. */
export async function watchRun(
  context: CliContext,
  place: Place,
  {
    run: id,
    after,
    display,
  }: { readonly run: string; readonly after: number; readonly display: RunDisplay },
): Promise<void> {
  using end = streamEnd(context);
  const gone = new AbortController();
  using _watched = watchHolder(place, () => gone.abort());
  await reading(context, async (reader) => {
    context.out.note(`A daemon runs ${id}; Ctrl-C only looks away.`);
    let seq = after;
    let state: RepositoryState = reader.loadCurrent(id);
    using _shown = display.follow(id, () => state);
    for await (const _ of reader.changes(AbortSignal.any([end.signal, gone.signal]))) {
      const events = [...reader.events({ after: seq })];
      seq = events.at(-1)?.seq ?? seq;
      state = reader.loadCurrent(id);
      if (events.length > 0) display.show(events, state);
      const run = state.runs.get(id);
      if (run === undefined || goesOn(run) || hasAgents(run)) continue;
      display.summary(run, state);
      return context.exit(exitOf(run, false));
    }
    if (gone.signal.aborted) {
      return context.fail({
        exit: exits.nothing,
        what: 'the daemon has ended, and nobody starts it again',
        next: 'czar daemon logs tells more; czar daemon start goes on with the run',
      });
    }
    context.out.note(`The daemon goes on with run ${id}: czar status shows it.`);
  });
}

function watchHolder(place: Place, gone: () => void): Disposable {
  let since: number | null = null;
  const timer = setInterval(() => {
    if (holderOf(place) !== null) since = null;
    else if (since === null) since = performance.now();
    else if (performance.now() - since > patienceMs) gone();
  }, lookMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
