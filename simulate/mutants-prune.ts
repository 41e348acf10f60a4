/** Mutants of what is deleted, and when. */
import { decide } from '../src/core/decide.ts';
import { rules } from './mutate-rules.ts';
import type { Mutant } from './mutant.ts';

export const pruneMutants: readonly Mutant[] = [
  {
    breaks: 'P19',
    name: 'a run of which something is being deleted takes requests',
    mutation: { inTheWay: () => null },
  },
  {
    breaks: 'P19',
    name: 'a run that was taken up since it was looked at is pruned',
    mutation: rules({
      decide: (state, command, now) => {
        const decision = decide(state, command, now);
        if (decision.ok || command.kind !== 'prune') return decision;
        const { by, outputs, refs, aside } = command;
        return {
          ok: true,
          events: [{ type: 'prune.started', data: { by, outputs, refs, aside } }],
        };
      },
    }),
  },
];
