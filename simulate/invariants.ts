/**
 * Every invariant that the simulation checks, by number and name. Those with S, L and A are the promises of the loop and
 * the core; those with P are rules of scheduling and evidence that a user relies on.
 */
import type { Coverage } from './coverage.ts';

export const invariants = {
  S1: 'a worker has at most one live attempt, in the log and in the process table',
  S2: 'nothing is appended for an attempt that is not the last of its worker',
  S3: 'a worker starts after every edge of it was satisfied',
  S4: 'what is merged or landed has passed every gate, on exactly that tip and tree',
  S5: 'a branch moves by compare-and-swap from what its event names, once for each merge',
  S6: 'a merge changes what its branch changed and nothing else',
  S7: 'every commit seen in a working tree is held by a ref of the mirror',
  S8: 'a working tree goes only after what it held is stored',
  S10: 'the fold of the log is the state; the sequence has no gaps and the chain is whole',
  S11: 'what was acknowledged is in the log',
  S12: 'only the loop with the highest epoch appends',
  S14: 'an effect follows a durable intent and a receipt follows an effect',
  S16: 'the graph has no cycle',
  S17: 'every worker is in one state of the table, with a cause where it waits',
  S19: 'an end is recorded only of what has ended; unknown liveness ends nothing',
  L1: 'a ready worker starts at once while nothing is in its way',
  L2: 'every run ends or waits for a person with a stated cause',
  L3: 'every worker in the merge queue is merged or returned',
  L4: 'a stop reaches no processes within the grace period and five seconds',
  L5: 'a loop that starts on a state at rest does nothing',
  L6: 'no process is left at the end',
  A2: 'what to do next is the same after a restart',
  A3: 'for one key at most one effect is under way',
  A5: 'one merge at a time for each run',
  A6: 'no ref that holds work is dropped or moved back',
  P1: 'slots and check slots are kept',
  P2: 'overlapping claims are not held at the same time',
  P3: 'every line of a report counts once',
  P4: 'only failed attempts count, and no more are made than allowed',
  P5: 'a worker completes by evidence: merged, nothing to merge, or an empty workspace that passed',
  P6: 'a time limit strikes no earlier than it says, whatever the wall clock does',
  P7: 'a tree contains what its worker depends on',
  P8: 'nothing throws but what is meant to',
  P9: 'a paused run starts nothing',
  P11: 'what nobody answers is settled by the principal policy as the plan says, not before its time',
  P10: 'what must be approved starts when a person said so, of that definition and attempt',
  P13: 'no resource is held beyond what there is or beside what excludes it, by whichever run, and nothing starts below the disk reserve',
  P14: 'findings send a worker back no more often than its run allows, and only with a cause that an agent can mend',
  P15: 'an attempt is made by the first agent of its worker that is installed and has quota',
  P17: 'an attempt is ended for its silence only where its worker says so, and only after that silence',
  P18: 'an attempt that is silent for too long is in the inbox, and none that waits for a person',
  P19: 'what is deleted was named before, of a run of which nothing goes on, and dropped by a person or reachable without it',
  P20: 'what is said of a pull request goes back once, to a new worker for each owner, no more often than its run allows',
  P21: 'a branch of the remote only moves forward, to what was merged or has landed',
  P12: 'nothing starts that its budget, or that of the run or the day, has no room for',
  P16: 'what a running attempt asks is answered once, and by the policy not before its time',
} as const;

export type Invariant = keyof typeof invariants;

/** An invariant that does not hold, with what was seen. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: Invariant;

  constructor(invariant: Invariant, detail: string) {
    super(`${invariant} (${invariants[invariant]}): ${detail}`);
    this.invariant = invariant;
  }
}

/** Throws unless the condition holds; every evaluation is counted. */
export type Require = (invariant: Invariant, holds: boolean, detail: () => string) => void;

/** The check, and what hands its counts over. */
export function requiring(coverage: Coverage): { readonly require: Require; flush: () => void } {
  const counts = new Map<Invariant, number>();
  return {
    require: (invariant, holds, detail) => {
      counts.set(invariant, (counts.get(invariant) ?? 0) + 1);
      if (!holds) throw new Violation(invariant, detail());
    },
    flush: () => {
      for (const [invariant, count] of counts) coverage.hit('invariant', invariant, count);
      counts.clear();
    },
  };
}
