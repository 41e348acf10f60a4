/** `czar report status`: the run by sections whose counts sum to the number of workers. */
import { statusDocument } from '../report/status.ts';
import { statusReport } from '../report/status-text.ts';
import { chosenRun, clockOffset, reading } from './reading.ts';
import type { Verb } from './verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .command('status')
      .description('overview, completed, active, pending (and what blocks it), ready')
      .action(async () => {
        await reading(context, (reader) => {
          const { out } = context;
          const state = reader.loadCurrent(context.options.run);
          const run = chosenRun(context, state);
          if (run === null) return;
          const now = context.now();
          const document = statusDocument({ state, run, now, liveness: reader.liveness(now) });
          if (context.options.json) return out.json(document);
          const lines = statusReport(document, {
            name: run.plan.name,
            width: out.width() ?? Infinity,
            offsetMinutes: clockOffset(now),
          });
          for (const line of lines) out.line(line);
        });
      });
  },
};
