/** Whether a target that has moved may enter the integration of a run now. */
import type { Request } from '../commands.ts';
import { accept, refuse, type Decision } from '../decision.ts';
import type { NewEvent } from '../events.ts';
import { mergedName } from '../publish.ts';
import { isRunLive, type Landing, type RunState } from '../state.ts';

/** Decides a request to sync. It is a landing the other way round, and one of them goes on at a time. */
export function decideSync(
  run: RunState,
  request: Extract<Request, { kind: 'sync' }>,
  now: number,
): Decision {
  const { target, onto } = request;
  if (!isRunLive(run)) {
    return refuse(
      4,
      `Run ${run.id} is ${run.state}: only a live run is brought up to date.`,
      `${run.state === 'complete' ? 'czar land' : 'czar land --partial'} merges it with ${target} as it is; where the two conflict, git merge ${mergedName(run)} on ${target} settles it by hand.`,
    );
  }
  if (run.tip === null)
    return refuse(4, `Run ${run.id} has not begun yet.`, 'czar run goes on with it.');
  const { landing } = run;
  if (landing !== null) {
    // Whoever asks for what is under way waits for its end.
    if (landing.sync === true && landing.target === target) return accept([]);
    return refuse(
      4,
      landing.sync === true
        ? `${landing.target} is being brought into run ${run.id}.`
        : `Run ${run.id} is being landed on ${landing.target}.`,
      'Ask again when that is done.',
    );
  }
  const how = { mode: 'merge', partial: false, sync: true } as const;
  return accept([
    {
      type: 'land.started',
      run: run.id,
      data: { target, ...how, onto: run.tip, tip: onto, date: now },
    },
  ]);
}

/** The event of a sync that has moved integration to `commit`. */
export function synced(run: RunState, { target, tip }: Landing, commit: string): NewEvent {
  return { type: 'run.synced', run: run.id, data: { target, tip, base: run.tip ?? '', commit } };
}
