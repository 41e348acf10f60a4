/** `czar deny ID… | --all`: launches that wait for a person do not start; a later `approve` undoes it. */
import { steer } from './steering.ts';
import { chosenWorkers } from './which-workers.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('[workers...]', 'workers that may not start')
      .option('--all', 'everything that waits for an approval')
      .option('-m, --message <why>', 'why, for whoever looks at it')
      .action(async (named: string[], options: { all?: boolean; message?: string }) => {
        const workers = chosenWorkers(context, 'deny', { named, all: options.all === true });
        if (workers === undefined) return;
        const why = options.message ?? null;
        await steer(
          context,
          (run) => ({ kind: 'deny', run, workers, why }),
          workers === null
            ? 'Nothing that waited for an approval starts.'
            : `${workers.join(', ')} will not start; czar approve undoes it.`,
        );
      });
  },
};
