/** Questions to a log: in which order things happened, and how many at once. */
import assert from 'node:assert/strict';

/** States that a worker entered, oldest first; `starting` is the event `worker.started`. */
export function statesOf(log: readonly any[], worker: string): string[] {
  return log
    .filter((event) => event.worker === worker && 'from' in event.data)
    .map((event) => (event.type === 'worker.started' ? 'starting' : event.type.slice(7)));
}

/** The only event of the type, and of the worker where one is named. */
export function only(log: readonly any[], type: string, worker?: string): any {
  const found = all(log, type, worker);
  assert.equal(found.length, 1, `${found.length} times ${type} ${worker ?? ''}`);
  return found[0];
}

/** Events of the type, and of the worker where one is named. */
export function all(log: readonly any[], type: string, worker?: string): any[] {
  return log.filter(
    (event) => event.type === type && (worker === undefined || event.worker === worker),
  );
}

/** Asserts that the events happened in this order; each is `type` or `type worker`, and must be there once. */
export function assertOrder(log: readonly any[], ...names: readonly string[]): void {
  const seqs = names.map((name) => only(log, ...(name.split(' ') as [string, string?])).seq);
  assert.deepEqual(
    seqs,
    seqs.toSorted((a, b) => a - b),
    names.join(' < '),
  );
}

/** The most workers that were starting or active at the same time. */
export function mostLive(log: readonly any[]): number {
  const live = new Set<string>();
  let most = 0;
  for (const event of log.filter(({ worker, data }) => worker !== undefined && 'from' in data)) {
    if (event.type === 'worker.started' || event.type === 'worker.active') live.add(event.worker);
    else live.delete(event.worker);
    most = Math.max(most, live.size);
  }
  return most;
}
