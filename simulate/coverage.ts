/** What was reached how often: fault sites, event types, requests, states. A fault that never strikes proves nothing. */

export type CoverageKind =
  'fault' | 'site' | 'event' | 'request' | 'transition' | 'outcome' | 'block' | 'invariant' | 'end';

export class Coverage {
  readonly #hits = new Map<CoverageKind, Map<string, number>>();

  hit(kind: CoverageKind, name: string, times = 1): void {
    let named = this.#hits.get(kind);
    if (named === undefined) {
      named = new Map();
      this.#hits.set(kind, named);
    }
    named.set(name, (named.get(name) ?? 0) + times);
  }

  /** Names of a kind with their counts, by name. */
  of(kind: CoverageKind): ReadonlyMap<string, number> {
    return new Map([...(this.#hits.get(kind) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  kinds(): readonly CoverageKind[] {
    return [...this.#hits.keys()].sort();
  }

  /** Sum of the counts of a kind. */
  total(kind: CoverageKind): number {
    let sum = 0;
    for (const count of this.of(kind).values()) sum += count;
    return sum;
  }
}
