/**
 * How two commits are related, from the commits themselves. Whatever this cannot see for sure is null, and git is asked:
 * a commit that is missing, very long histories, and a commit older than its parent.
 */
import type { Commit } from '../mirror/object-format.ts';

/** More commits than this are left to git, which has indexes for them. */
const maxVisited = 20_000;

export interface Relation {
  /** Best common ancestors. */
  readonly bases: readonly string[];
  /** How many commits `other` has that `one` has not. */
  readonly beyond: number;
}

const ofOne = 1;
const ofOther = 2;
/** Below a common ancestor. */
const stale = 4;
const common = ofOne | ofOther;

interface Visit {
  readonly id: string;
  readonly commit: Commit;
  colour: number;
  waits: boolean;
}

/**
 * Relates two commits; null when this cannot say, or would have to look at more than `most`.
 *
 * Both histories are walked newest first, and each commit hands its colours to its parents, as git's own search does
 * (commit-reach.c). It ends when all that waits lies below a common ancestor and is older than everything whose colours
 * count, since nothing older can recolour it.
 */
export async function relate(
  read: (id: string) => Commit | Promise<Commit | null>,
  one: string,
  other: string,
  most = maxVisited,
): Promise<Relation | null> {
  const visits = new Map<string, Visit>();
  const waiting = new NewestFirst();
  let fresh = 0;
  const visitOf = (id: string, commit: Commit | null): Visit | null => {
    if (commit === null || visits.size >= most) return null;
    const visit = { id, commit, colour: 0, waits: false };
    visits.set(id, visit);
    return visit;
  };
  const paint = (visit: Visit, colour: number): void => {
    const before = visit.colour;
    visit.colour |= colour;
    if (visit.colour === before) return;
    if (visit.waits && isFresh(before)) fresh -= 1;
    if (isFresh(visit.colour)) fresh += 1;
    if (!visit.waits) waiting.push(visit);
    visit.waits = true;
  };
  for (const [id, colour] of [
    [one, ofOne],
    [other, ofOther],
  ] as const) {
    const visit = visits.get(id) ?? visitOf(id, await read(id));
    if (visit === null) return null;
    paint(visit, colour);
  }

  let oldest = Infinity;
  for (let visit = waiting.pop(); visit !== undefined; visit = waiting.pop()) {
    if (fresh === 0 && visit.commit.time < oldest) break;
    visit.waits = false;
    if (isFresh(visit.colour)) {
      fresh -= 1;
      oldest = Math.min(oldest, visit.commit.time);
    }
    const handed = (visit.colour & common) === common ? common | stale : visit.colour;
    for (const id of visit.commit.parents) {
      const found = visits.get(id) ?? read(id);
      // Most are known: what is not waited for costs nothing.
      const commit = found instanceof Promise ? await found : found;
      const parent = commit === null || 'colour' in commit ? commit : visitOf(id, commit);
      if (parent === null || parent.commit.time > visit.commit.time) return null;
      paint(parent, handed);
    }
  }
  const all = [...visits.values()];
  return {
    bases: all.filter(({ colour }) => colour === common).map(({ id }) => id),
    beyond: all.filter(({ colour }) => colour === ofOther).length,
  };
}

function isFresh(colour: number): boolean {
  return (colour & stale) === 0;
}

/** A heap of commits. */
class NewestFirst {
  readonly #heap: Visit[] = [];

  push(visit: Visit): void {
    let at = this.#heap.push(visit) - 1;
    for (let above = (at - 1) >> 1; at > 0 && this.#isNewer(at, above); above = (at - 1) >> 1) {
      this.#swap(at, above);
      at = above;
    }
  }

  pop(): Visit | undefined {
    const last = this.#heap.length - 1;
    if (last > 0) this.#swap(0, last);
    const newest = this.#heap.pop();
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let best = this.#isNewer(left, at) ? left : at;
      if (this.#isNewer(right, best)) best = right;
      if (best === at) return newest;
      this.#swap(at, best);
      at = best;
    }
  }

  #isNewer(one: number, other: number): boolean {
    const [first, second] = [this.#heap[one], this.#heap[other]];
    return first !== undefined && second !== undefined && first.commit.time > second.commit.time;
  }

  #swap(one: number, other: number): void {
    const [first, second] = [this.#heap[one], this.#heap[other]];
    if (first === undefined || second === undefined) return;
    this.#heap[one] = second;
    this.#heap[other] = first;
  }
}
