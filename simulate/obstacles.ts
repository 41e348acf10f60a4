/** What is in the way of a start, told from the books alone. */
import { isOver, type RunBook, type WorkerBook } from './books.ts';

/** Who would make the worker's next attempt, and whether that must wait for quota. */
export function agentFor(
  runs: Iterable<RunBook>,
  run: RunBook,
  { definition }: WorkerBook,
  now: number,
): { readonly name: string; readonly away: boolean } {
  const all = [definition.agent.name, ...(definition.fallback ?? [])];
  const here = all.filter((name) => !run.missing.includes(name));
  const some = here.length === 0 ? [definition.agent.name] : here;
  const live = [...runs].filter((one) => ['running', 'waiting', 'paused'].includes(one.state));
  const free = some.find((name) => !isAway(live, name, now));
  return free === undefined ? { name: '', away: true } : { name: free, away: false };
}

/** Whether somebody was turned away by the provider of this agent, which has no more for now. */
function isAway(runs: readonly RunBook[], name: string, now: number): boolean {
  return runs.some(
    ({ workers, away }) =>
      (away.get(name)?.until ?? 0) > now ||
      [...workers.values()].some(
        (one) =>
          one.state === 'ready' && one.turnedAway && one.notBefore > now && one.agent === name,
      ),
  );
}

export function heldByBarrier(run: RunBook, worker: WorkerBook): boolean {
  if (run.plan.policies.barrier !== 'wave') return false;
  const wave = run.waves.get(worker.id) ?? 0;
  return [...run.workers.values()].some(
    (one) => (run.waves.get(one.id) ?? 0) < wave && !isOver(one),
  );
}

/**
 * The worker whose claim is in the way; one that waits for its superseded dependency lends its claim to it, and one that
 * the barrier holds to those of earlier waves.
 */
export function claimHolder(run: RunBook, worker: WorkerBook): WorkerBook | null {
  const mine = worker.definition.owns;
  if (run.plan.policies.ownership !== 'serialize' || mine === null) return null;
  for (const other of run.workers.values()) {
    if (other === worker || !other.claims) continue;
    if (other.definition.owns?.some((glob) => mine.includes(glob)) !== true) continue;
    if (other.state === 'merging' && other.superseded.has(worker.id)) continue;
    const before = (run.waves.get(worker.id) ?? 0) < (run.waves.get(other.id) ?? 0);
    if (before && other.state === 'ready' && heldByBarrier(run, other)) continue;
    return other;
  }
  return null;
}

/** A worker of another run whose claim is in the way, unless it stands in the queue behind one that was sent back. */
export function foreignHolder(
  runs: Iterable<RunBook>,
  run: RunBook,
  worker: WorkerBook,
): WorkerBook | null {
  const mine = worker.definition.owns;
  if (run.plan.policies.ownership !== 'serialize' || mine === null) return null;
  for (const other of runs) {
    if (other === run || other.id === run.id) continue;
    for (const one of other.workers.values()) {
      if (!one.claims || one.definition.owns?.some((glob) => mine.includes(glob)) !== true)
        continue;
      const waits = [...one.superseded].some((id) => other.workers.get(id)?.state !== 'complete');
      if (one.state !== 'merging' || !waits) return one;
    }
  }
  return null;
}
