/** `czar check integration`: whether every branch that belongs into integration is in it; 1 names those that are not. */
import { checkIntegration } from '../../daemon/views/check-integration.ts';
import { exits } from '../exit.ts';
import { chosenRun, reading } from '../reading.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .command('integration')
      .description('whether every required branch is in the integration branch; 1 when one is not')
      .action(async () => {
        await reading(context, async (reader, place) => {
          const { out } = context;
          const run = chosenRun(context, reader.loadCurrent(context.options.run));
          if (run === null) return;
          const checked = await checkIntegration(place, run);
          if (checked.kind === 'failed')
            return context.fail({ exit: exits.failed, what: checked.error });
          const { document } = checked;
          if (!document.ok) context.exit(exits.failed);
          if (context.options.json) return out.json(document);
          const { integration, branches } = document;
          for (const { worker, branch, required, merged, why } of branches) {
            if (!required || merged) continue;
            const named = branch === null ? worker : `${branch} (${worker})`;
            out.line(`✗ ${named} is not in ${integration.branch}: ${why}`);
          }
          if (!document.ok) return;
          const required = branches.filter((one) => one.required).length;
          out.line(
            `✓ ${integration.branch} has ${required === 1 ? 'the one required branch' : `all ${required} required branches`}.`,
          );
        });
      });
  },
};
