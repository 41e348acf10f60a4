/**
 * `czar deny ID… | --all`: launches that wait for a person do not start, which a later `approve` undoes; attempts do not
 * do what they wait with (`WORKER/p1`).
 */
import { steer } from '../steering.ts';
import { chosenWorkers, sentences } from './which-workers.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument(
        '[workers...]',
        'workers that may not start, or WORKER/p1 for what a running one may not do',
      )
      .option('--all', 'everything that waits for an approval')
      .option('-m, --message <why>', 'why, for whoever looks at it, and for the agent that asked')
      .action(async (named: string[], options: { all?: boolean; message?: string }) => {
        const workers = chosenWorkers(context, 'deny', { named, all: options.all === true });
        if (workers === undefined) return;
        const why = options.message ?? null;
        await steer(
          context,
          (run) => ({ kind: 'deny', run, workers, why }),
          workers === null
            ? 'Everything that waited for an approval is denied.'
            : sentences(workers, {
                launches: (names) => `${names} will not start; czar approve undoes it.`,
                asks: (names) => `${names} ${names.includes(',') ? 'are' : 'is'} denied.`,
              }),
        );
      });
  },
};
