/** `czar why WORKER`: the true cause of where it is, in one sentence, and what to do about it. */
import { why } from '../core/why.ts';
import { nextCommand } from '../report/summary.ts';
import { readingWorker } from './reading.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  define(command, context) {
    command.argument('<worker>', 'worker to ask about').action(async (id: string) => {
      await readingWorker(context, id, ({ state, run, worker }) => {
        const sentence = why(state, run, worker, context.now());
        const next = nextCommand(run, worker);
        if (context.options.json) {
          context.out.json({ v: 1, worker: id, state: worker.state, why: sentence, next });
          return;
        }
        context.out.line(sentence);
        if (next !== null) context.out.line({ text: `next: ${next}`, style: 'dim' });
      });
    });
  },
};
