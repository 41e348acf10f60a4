/** Broken cores that send workers back, or let them pass a review, as they should not. */
import type { Mutant } from './mutant.ts';
import { adding } from './mutate-rules.ts';

export const reworkMutants: readonly Mutant[] = [
  {
    breaks: 'S4',
    name: 'a change is merged that its reviewers have not approved',
    mutation: adding((_run, worker) =>
      worker.state === 'reviewing'
        ? { type: 'worker.merging', data: { from: 'reviewing', reason: 'good enough' } }
        : null,
    ),
  },
  {
    breaks: 'P14',
    name: 'a worker is sent back with findings again and again',
    mutation: adding((_run, worker) =>
      worker.state === 'blocked' && worker.block?.kind === 'gate'
        ? {
            type: 'worker.ready',
            data: {
              from: 'blocked',
              reason: 'once more',
              notBefore: null,
              counts: 'rework',
              tree: 'continue',
              rework: worker.block,
            },
          }
        : null,
    ),
  },
];
