/** `czar cancel`: stops a worker, or with no worker the whole run; work is kept. */
import { steer } from './steering.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('[worker]', 'worker to stop; without it the whole run')
      .action(async (worker: string | undefined) => {
        if (
          worker === undefined &&
          context.options.run === null &&
          !context.options.yes &&
          context.canAsk
        ) {
          context.out.note('This cancels the whole run. Say --yes, or name it with --run.');
          context.exit(4);
          return;
        }
        await steer(
          context,
          (run) => ({ kind: 'cancel', run, worker: worker ?? null }),
          worker === undefined
            ? 'The run is being cancelled; its work is kept.'
            : `${worker} is being cancelled; its work is kept.`,
        );
      });
  },
};
