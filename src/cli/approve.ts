/** `czar approve WORKER --path P`: lets the change of one protected path pass, as it stands now. */
import { steer } from './steering.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('<worker>', 'worker that changed a protected path')
      .requiredOption('--path <path>', 'the path, as czar why names it')
      .action(async (worker: string, options: { path: string }) => {
        const { path } = options;
        await steer(
          context,
          (run) => ({ kind: 'approve-path', run, worker, path }),
          `The change of ${path} by ${worker} is approved.`,
        );
      });
  },
};
