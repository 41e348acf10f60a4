/** What was kept beside git: files that are not committed on an agent's behalf, with the reason and where they lie. */
import type { KeptWork, LeftOut } from './events.ts';

/** Left-out files of the agent's own: what was carried into the tree still lies where it came from. */
export function leftOutOf(kept: readonly KeptWork[]): readonly LeftOut[] {
  const byPlace = new Map<string, LeftOut>();
  for (const one of kept.flatMap((each) => each.leftOut)) {
    if (one.aside !== undefined) byPlace.set(one.aside ?? one.path, one);
  }
  return [...byPlace.values()];
}

/** `big.bin (it is larger than 10000 bytes; in .git/czar/aside/…/big.bin)`. */
export function leftOutText({ path, why, aside }: LeftOut): string {
  return `${path} (${why}; ${aside == null ? 'it could not be copied' : `in ${aside}`})`;
}
