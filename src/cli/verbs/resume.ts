/** `czar resume`: a worker that is paused goes on, or with no worker the run and what was paused with it. */
import { steer } from '../steering.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('[worker]', 'worker that goes on; without it the whole run')
      .action(async (worker: string | undefined) => {
        await steer(
          context,
          (run) => ({ kind: 'resume', run, worker: worker ?? null }),
          worker === undefined
            ? 'The run goes on; workers that were paused alone stay paused.'
            : `${worker} goes on.`,
        );
      });
  },
};
