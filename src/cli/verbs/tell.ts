/** `czar tell`: tells a worker's agent something. No adapter of this version reaches an agent that runs; what was told too late is said. */
import { steer } from '../steering.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('<worker>', 'worker whose agent is told')
      .argument('<text...>', 'what it is told, word for word')
      .action(async (worker: string, words: string[]) => {
        const text = words.join(' ');
        await steer(
          context,
          (run) => ({ kind: 'tell', run, worker, text }),
          `The text stands in the next prompt of ${worker}: an agent that runs is not reached. If it is done without another prompt, czar why ${worker} says so.`,
        );
      });
  },
};
