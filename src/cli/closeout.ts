/** `czar closeout`: the report that closes a run. The same as `czar report closeout`. */
import type { Command } from 'commander';
import { closeout } from '../daemon/closeout.ts';
import { closeoutPage } from '../report/closeout-page.ts';
import { formatOf, printReport, reportOptions, type ReportOptions } from './print-report.ts';
import { chosenRun, reading } from './reading.ts';
import type { CliContext, Verb } from './verb.ts';

export const verb: Verb = {
  define(command, context) {
    defineCloseout(command, context);
  },
};

/** Makes the closing report of a command. */
export function defineCloseout(command: Command, context: CliContext): void {
  reportOptions(command)
    .description('what was wanted, what is there, what it cost, what went wrong, what is left')
    .action(async (options: ReportOptions) => {
      const format = formatOf(context, options, 'md');
      if (format === null) return;
      await reading(context, async (reader, place) => {
        const run = chosenRun(context, reader.loadCurrent(context.options.run));
        if (run === null) return;
        const document = await closeout(place, { reader, run, now: context.now() });
        if (!document.run.over)
          context.out.note(`run ${run.id} is not over: the report is of this moment`);
        const page = closeoutPage(document);
        await printReport(context, { document, page }, { format, out: options.out });
      });
    });
}
