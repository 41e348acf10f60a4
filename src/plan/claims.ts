/**
 * Which of many claims (lists of `owns` patterns) could meet in a path. Patterns stand in a tree by the folders that they
 * write out, so that claims on different folders are never compared; what is left is compared up to a bound, and beyond
 * it counts as meeting: a needless wait is better than two workers in one file.
 */
import { literalOf, readingsOf, segmentsMeet, type Segment } from '../core/overlap.ts';

/** Most comparisons of two readings; takes about a second. */
const mostComparisons = 100_000;

interface Entry {
  readonly claim: number;
  readonly reading: readonly Segment[];
}

interface Folder {
  readonly inside: Map<string, Folder>;
  /** Readings that go on here with something that is not written out, or end. */
  readonly here: Entry[];
}

/**
 * For each claim the places of the others that it could meet; null when there are more than `most` such pairs.
 */
export function meetings(
  claims: readonly (readonly string[])[],
  most: number,
): readonly ReadonlySet<number>[] | null {
  const found = claims.map(() => new Set<number>());
  const top: Folder = { inside: new Map(), here: [] };
  let [pairs, comparisons] = [0, 0];
  const meet = (a: number, b: number): void => {
    if (a === b || found[a]?.has(b) === true) return;
    found[a]?.add(b);
    found[b]?.add(a);
    pairs += 1;
  };
  const compare = (one: Entry, other: Entry): void => {
    if (one.claim === other.claim || found[one.claim]?.has(other.claim) === true) return;
    comparisons += 1;
    if (comparisons > mostComparisons || segmentsMeet(one.reading, other.reading))
      meet(one.claim, other.claim);
  };
  for (const [claim, patterns] of claims.entries()) {
    for (const reading of patterns.flatMap(readingsOf)) {
      const entry = { claim, reading };
      for (const other of place(top, entry)) {
        compare(entry, other);
        if (pairs > most) return null;
      }
    }
  }
  return found;
}

/** Puts an entry into its folder; gives those before it that it could meet. */
function* place(top: Folder, entry: Entry): Generator<Entry> {
  let folder = top;
  let writtenOut = true;
  for (const segment of entry.reading) {
    const name = literalOf(segment);
    if (name === null) {
      writtenOut = false;
      break;
    }
    yield* folder.here;
    const next = folder.inside.get(name) ?? { inside: new Map(), here: [] };
    folder.inside.set(name, next);
    folder = next;
  }
  yield* folder.here;
  const below = writtenOut ? [] : [...folder.inside.values()];
  for (let one = below.pop(); one !== undefined; one = below.pop()) {
    yield* one.here;
    below.push(...one.inside.values());
  }
  folder.here.push(entry);
}
