/** `czar submit`: a person says that a worker's tree as it stands is the work. */
import { steer } from '../steering.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command.argument('<worker>', 'worker whose tree is the work').action(async (worker: string) => {
      await steer(
        context,
        (run) => ({ kind: 'submit', run, worker }),
        `${worker} goes on to its gates.`,
      );
    });
  },
};
