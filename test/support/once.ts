/** Scratch repositories that several tests of a file begin with: a run takes seconds, a copy of what it left does not. */
import type { Made } from './beginnings.ts';
import { Scratch } from './scratch.ts';

/** What makes a scratch repository: the second and later ones are copies of the first, as it was when it was made. */
export function once(make: () => Promise<Scratch>): () => Promise<Scratch> {
  let made: Made | null = null;
  return async () => {
    if (made !== null) return Scratch.again(made);
    const scratch = await make();
    made = scratch.keep();
    return scratch;
  };
}
