/** `czar skip`: the run goes on without a worker. */
import { steer } from './steering.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('<worker>', 'worker to leave out')
      .option('--satisfy', 'let those that depend on it start as if it were complete')
      .action(async (worker: string, options: { satisfy?: boolean }) => {
        const satisfy = options.satisfy === true;
        await steer(
          context,
          (run) => ({ kind: 'skip', run, worker, satisfy }),
          `${worker} is skipped.`,
        );
      });
  },
};
