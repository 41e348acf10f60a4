/** `czar cancel`: stops a worker, or with no worker the whole run (asked before on a terminal); work is kept. */
import { exits } from '../exit.ts';
import { steer } from '../steering.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('[worker]', 'worker to stop; without it the whole run')
      .action(async (worker: string | undefined) => {
        const whole = worker === undefined && context.options.run === null;
        if (whole && !context.options.yes && context.canAsk) {
          if (!(await context.confirm('Cancel the whole run?'))) {
            context.out.note('Nothing was cancelled.');
            return context.exit(exits.refused);
          }
        }
        await steer(context, (run) => ({ kind: 'cancel', run, worker: worker ?? null }), {
          led: `${worker ?? 'The run'} is being cancelled; its work is kept.`,
          stopped: `${worker ?? 'The run'} is cancelled; its work is kept.`,
          recorded: `It is recorded that ${worker ?? 'the run'} is to be cancelled`,
        });
      });
  },
};
