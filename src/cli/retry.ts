/** `czar retry`: a failed, blocked or cancelled worker starts again with the next loop. */
import { settlesPlan } from './pinned.ts';
import { steer } from './steering.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('<worker>', 'worker to start again')
      .option('-m, --message <text>', 'tell its agent something in the next prompt')
      .option('--clean', 'start in a clean tree, what was there kept')
      .option('--amend', 'take files that have changed into the run first')
      .option('--pinned', 'keep the plan of the run although files have changed')
      .action(
        async (
          worker: string,
          options: { message?: string; clean?: boolean; amend?: boolean; pinned?: boolean },
        ) => {
          if (!(await settlesPlan(context, options))) return;
          const { message = null, clean = false } = options;
          await steer(
            context,
            (run) => ({ kind: 'retry', run, worker, note: message, clean }),
            `${worker} will be tried again.`,
          );
        },
      );
  },
};
