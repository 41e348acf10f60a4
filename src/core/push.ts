/** Which branches the remote has not yet: of merged workers, and of what has landed, when the configuration asks for it. */
import type { Event } from './events.ts';
import type { RunState } from './state.ts';
import { triesAllowed } from './trouble.ts';

/**
 * Branches (full names) with the commits that they should be at. Only what the user's repository has can be pushed. Those
 * of `again` are among them although the remote did not take them.
 */
export function unpushed(
  run: RunState,
  again: readonly string[] = [],
): Readonly<Record<string, string>> {
  const wanted: Record<string, string> = {};
  if (run.plan.policies.push !== true) return wanted;
  const want = (ref: string, commit: string): void => {
    if (run.pushed[ref] !== commit || again.includes(ref)) wanted[ref] = commit;
  };
  for (const id of run.mergedOrder) {
    const worker = run.workers.get(id);
    if (worker?.work == null || worker.branch === null) continue;
    const ref = `refs/heads/${worker.branch}`;
    if (run.published[ref] === worker.work.tip) want(ref, worker.work.tip);
  }
  if (run.landed !== null) want(`refs/heads/${run.landed.target}`, run.landed.commit);
  return wanted;
}

/**
 * Branches that the remote did not take when they were last pushed, each with the reason, as far as they are wanted there
 * still. `events` are the run's, oldest first.
 */
export function stillRefused(
  run: RunState,
  events: Iterable<Event>,
): Readonly<Record<string, string>> {
  const refused = new Map<string, string>();
  for (const event of events) {
    if (event.type !== 'refs.pushed') continue;
    for (const ref of Object.keys(event.data.refs)) {
      const why = event.data.left[ref];
      if (why === undefined) refused.delete(ref);
      else refused.set(ref, why);
    }
  }
  const wanted = unpushed(run, [...refused.keys()]);
  return Object.fromEntries([...refused].filter(([ref]) => ref in wanted));
}

/** Those, and the ones that several tries did not bring there: what a person should know of. */
export function notPushed(
  run: RunState,
  events: Iterable<Event>,
): Readonly<Record<string, string>> {
  const why = pushTrouble(run);
  const open = why === null ? [] : Object.keys(unpushed(run)).map((ref) => [ref, why] as const);
  return { ...stillRefused(run, events), ...Object.fromEntries(open) };
}

/** Key of the effect that pushes them. */
export function pushKey(run: RunState): string {
  return `${run.id}/push:`;
}

/** Why branches are not pushed for now, after several tries; null when they are, or are about to be. */
export function pushTrouble(run: RunState): string | null {
  const trouble = run.troubles[pushKey(run)];
  const behind = Object.keys(unpushed(run)).length > 0;
  return behind && trouble !== undefined && trouble.tries >= triesAllowed ? trouble.error : null;
}

/** Whether branches are about to be pushed: until then a run has not come home. */
export function isPushing(run: RunState): boolean {
  return Object.keys(unpushed(run)).length > 0 && pushTrouble(run) === null;
}
