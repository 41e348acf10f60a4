/** What every decision about a request needs: its type, and the sentences that refusals share. */
import type { Request } from '../commands.ts';
import { refuse, type Decision } from '../decision.ts';
import type { NewEvent, Principal } from '../events.ts';
import type { RunState, WorkerState } from '../state.ts';

/** A request of one kind, with who asks. */
export type Asked<K extends Request['kind']> = Extract<Request, { kind: K }> & {
  readonly by: Principal;
};

/** What is blocked by failure is settled at the root. */
export function refuseRoot(worker: WorkerState): Decision {
  const root = worker.blockedBy ?? '';
  return refuse(
    4,
    `${worker.id} is blocked by ${root}.`,
    `czar retry ${root}, or czar skip ${root}, settles it.`,
  );
}

/** What is paused is resumed before anything that blocked it is settled. */
export function refusePaused(worker: WorkerState): Decision {
  return refuse(
    4,
    `${worker.id} is paused.`,
    `czar resume ${worker.id} first: what blocked it waits.`,
  );
}

/** Where to read more. */
export function why(worker: WorkerState): string {
  return `czar why ${worker.id} tells more.`;
}

/** The event as one of this worker. */
export function of<T extends NewEvent>(run: RunState, worker: WorkerState, event: T): T {
  return { ...event, run: run.id, worker: worker.id };
}
