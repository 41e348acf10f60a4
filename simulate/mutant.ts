/** A product that is broken on purpose. */
import type { Invariant } from './invariants.ts';
import type { Mutation } from './mutation.ts';

export interface Mutant {
  readonly breaks: Invariant;
  /** What is wrong with it. */
  readonly name: string;
  readonly mutation: Mutation;
  /** Other invariants that may notice first. */
  readonly or?: readonly Invariant[];
}
