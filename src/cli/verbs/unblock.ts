/** `czar unblock`: the cause that blocked a worker is settled; it goes on with the step that it was blocked in. */
import { steer } from '../steering.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('<worker>', 'worker that is blocked')
      .option('-m, --message <text>', 'tell its agent something in the next prompt')
      .action(async (worker: string, options: { message?: string }) => {
        const note = options.message ?? null;
        await steer(
          context,
          (run) => ({ kind: 'unblock', run, worker, note }),
          `${worker} goes on.`,
        );
      });
  },
};
