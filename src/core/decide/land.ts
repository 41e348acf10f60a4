/** Whether a run may be landed now. */
import type { Request } from '../commands.ts';
import { accept, refuse, type Decision } from '../decision.ts';
import { workersOf, type RunState } from '../state.ts';

/** Decides a request to land. */
export function decideLanding(
  run: RunState,
  request: Extract<Request, { kind: 'land' }>,
  now: number,
): Decision {
  const why = unready(run, request.partial, 'czar land --partial');
  if (why !== null) return why;
  const { target, mode, partial, onto } = request;
  const { landing } = run;
  if (landing !== null) {
    // Whoever asks for what is under way, or was when its process ended, waits for its end.
    if (landing.sync === undefined && landing.target === target && landing.mode === mode)
      return accept([]);
    if (landing.sync === true)
      return refuse(4, `${landing.target} is being brought into run ${run.id}.`, null);
    return refuse(
      4,
      `Run ${run.id} is being landed on ${landing.target} already (${landing.mode}).`,
      `czar land --into ${landing.target} --mode ${landing.mode} waits for its end.`,
    );
  }
  return accept([
    {
      type: 'land.started',
      run: run.id,
      data: { target, mode, partial, onto, tip: run.tip ?? '', date: now },
    },
  ]);
}

/** Why a run cannot be brought home now, as far as that does not depend on where to; null when it can. */
export function unready(run: RunState, partial: boolean, next: string): Decision | null {
  if (run.tip === null)
    return refuse(4, `Run ${run.id} has merged nothing yet.`, 'czar status shows where it stands.');
  const open = workersOf(run).filter(
    (worker) => worker.state !== 'complete' && worker.state !== 'skipped',
  );
  if (open.length > 0 && !partial) {
    return refuse(
      4,
      `Run ${run.id} is not complete: ${listed(open.map((worker) => worker.id))}.`,
      `${next} takes what has been merged.`,
    );
  }
  if (run.mergedOrder.length === 0) return refuse(4, `Run ${run.id} has merged nothing.`, null);
  return null;
}

function listed(ids: readonly string[]): string {
  return ids.length <= 5
    ? ids.join(', ')
    : `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more`;
}
