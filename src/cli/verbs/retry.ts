/** `czar retry`: a failed, blocked or cancelled worker starts again with the next loop. */
import { exits } from '../exit.ts';
import { settlesPlan } from './pinned.ts';
import { steer } from '../steering.ts';
import type { Verb } from '../verb.ts';

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
          const { message = null, clean = false, amend, pinned } = options;
          if (amend === true && pinned === true) {
            return context.fail({
              exit: exits.wrong,
              what: '--amend takes the files as they are, --pinned the plan of the run',
              next: 'czar retry --help',
            });
          }
          const asked = { kind: 'retry', worker, note: message, clean } as const;
          if (!(await settlesPlan(context, options, (run) => ({ ...asked, run })))) return;
          await steer(context, (run) => ({ ...asked, run }), `${worker} will be tried again.`);
        },
      );
  },
};
