/** Mutants of what a running attempt waits for an answer to. */
import { answering, openAsks } from '../src/core/asks.ts';
import { adding, scheduling } from './mutate-rules.ts';
import type { Mutant } from './mutant.ts';

export const askMutants: readonly Mutant[] = [
  {
    breaks: 'P16',
    name: 'what an attempt waits with is denied at once',
    mutation: adding((run, worker) => {
      const [ask] = openAsks(worker);
      if (ask === undefined) return null;
      return answering(run, worker, ask, { decision: 'deny', text: null, by: 'policy' });
    }),
  },
  {
    breaks: 'S14',
    name: 'an agent is allowed what was denied',
    mutation: scheduling((intent) =>
      intent.kind === 'answer' ? [{ ...intent, decision: 'allow' }] : [intent],
    ),
  },
];
