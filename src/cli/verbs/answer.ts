/**
 * `czar answer`: answers the question, or the blocker, of a worker; it goes on with the answer in its prompt. An attempt
 * that waits with its question (`WORKER/q1`) goes on where it is.
 */
import { steer } from '../steering.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument(
        '<worker>',
        'worker that asks, or WORKER/q1 for one of several questions that it waits with',
      )
      .argument('<text...>', 'the answer, word for word')
      .action(async (named: string, words: string[]) => {
        const text = words.join(' ');
        const [worker = '', ask] = named.split('/', 2);
        await steer(
          context,
          (run) => ({ kind: 'answer', run, worker, ...(ask === undefined ? {} : { ask }), text }),
          `${worker} has its answer.`,
        );
      });
  },
};
