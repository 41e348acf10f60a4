/** What is in the way of a start, told from the books alone. */
import { isOver, type RunBook, type WorkerBook } from './books.ts';

/** A worker that waits because the provider of this one's agent has no more for now; null without one. */
export function turnedAway(
  runs: Iterable<RunBook>,
  { definition }: WorkerBook,
  now: number,
): WorkerBook | null {
  for (const run of runs) {
    if (!['running', 'waiting', 'paused'].includes(run.state)) continue;
    for (const one of run.workers.values()) {
      if (one.state !== 'ready' || !one.turnedAway || one.notBefore <= now) continue;
      if (one.definition.agent.name === definition.agent.name) return one;
    }
  }
  return null;
}

export function heldByBarrier(run: RunBook, worker: WorkerBook): boolean {
  if (run.plan.policies.barrier !== 'wave') return false;
  const wave = run.waves.get(worker.id) ?? 0;
  return [...run.workers.values()].some(
    (one) => (run.waves.get(one.id) ?? 0) < wave && !isOver(one),
  );
}

/** The worker whose claim is in the way; one that waits for its superseded dependency lends its claim to it. */
export function claimHolder(run: RunBook, worker: WorkerBook): WorkerBook | null {
  const mine = worker.definition.owns;
  if (run.plan.policies.ownership !== 'serialize' || mine === null) return null;
  for (const other of run.workers.values()) {
    if (other === worker || !other.claims) continue;
    if (other.definition.owns?.some((glob) => mine.includes(glob)) !== true) continue;
    if (other.state === 'merging' && other.superseded.has(worker.id)) continue;
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
