/** `czar answer`: answers the question, or the blocker, of a worker; it goes on with the answer in its prompt. */
import { steer } from './steering.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('<worker>', 'worker that asks')
      .argument('<text...>', 'the answer, word for word')
      .action(async (worker: string, words: string[]) => {
        const text = words.join(' ');
        await steer(
          context,
          (run) => ({ kind: 'answer', run, worker, text }),
          `${worker} has its answer.`,
        );
      });
  },
};
