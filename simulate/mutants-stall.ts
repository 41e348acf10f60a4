/** Mutants of what follows when an agent is silent. */
import { inboxEntries } from '../src/report/inbox.ts';
import { adding } from './mutate-rules.ts';
import type { Mutant } from './mutant.ts';

export const stallMutants: readonly Mutant[] = [
  {
    breaks: 'P17',
    name: 'an agent is ended for its silence although its worker does not say so',
    mutation: adding((run, { id, state, stop, attempt }) => {
      const stall = run.plan.workers.find((one) => one.id === id)?.stall;
      if (stall?.restart !== false || state !== 'active' || stop !== null) return null;
      if (attempt?.phase !== 'running') return null;
      const reason = 'stalled: nothing printed for a while';
      return { type: 'worker.stop_requested', data: { to: 'retry', by: 'policy', reason } };
    }),
  },
  {
    breaks: 'P18',
    name: 'nobody is told of an agent that is silent',
    mutation: { inbox: ({ liveness: _unseen, ...rest }) => inboxEntries(rest) },
  },
];
