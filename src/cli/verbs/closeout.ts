/** `czar closeout`: the report that closes a run. The same as `czar report closeout`. */
import type { Command } from 'commander';
import type { AloneOptions } from '../../daemon/trial/run-alone.ts';
import type { CloseoutDocument } from '../../report/closeout-schema.ts';
import { closeout } from '../../daemon/views/closeout.ts';
import { closeoutPage } from '../../report/closeout-page.ts';
import { formatOf, printReport, reportOptions, type ReportOptions } from '../print-report.ts';
import { exits } from '../exit.ts';
import { oneAgent } from '../one-agent.ts';
import { chosenRun, reading, streamEnd } from '../reading.ts';
import type { CliContext, Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    defineCloseout(command, context);
  },
};

interface CloseoutOptions extends ReportOptions {
  readonly agent?: string;
  readonly timeout: string;
}

/** Makes the closing report of a command. */
export function defineCloseout(command: Command, context: CliContext): void {
  reportOptions(command)
    .description('what was wanted, what is there, what it cost, what went wrong, what is left')
    .option('--agent <name>', 'let this agent add a few paragraphs, marked as its own; that spends')
    .option('--timeout <span>', 'how long it may take', '10m')
    .action(async (options: CloseoutOptions) => {
      const format = formatOf(context, options, 'md');
      if (format === null) return;
      const asked =
        options.agent === undefined
          ? null
          : await oneAgent(context, {
              name: options.agent,
              timeout: options.timeout,
              verb: 'closeout --agent',
              command: `czar closeout --agent ${options.agent}`,
            });
      if (asked === 'no') return;
      await reading(context, async (reader, place) => {
        const run = chosenRun(context, reader.loadCurrent(context.options.run));
        if (run === null) return;
        const facts = await closeout(place, { reader, run, now: context.now() });
        const document = asked === null ? facts : await withProse(context, facts, asked);
        if (document === null) return;
        if (!document.run.over)
          context.out.note(`run ${run.id} is not over: the report is of this moment`);
        const page = closeoutPage(document);
        await printReport(context, { document, page }, { format, out: options.out });
      });
    });
}

/** The report with what the agent wrote; null when it wrote nothing, which has been said. */
async function withProse(
  context: CliContext,
  document: CloseoutDocument,
  writer: Omit<AloneOptions, 'signal'>,
): Promise<CloseoutDocument | null> {
  const { writeProse } = await import('../../daemon/trial/closeout-prose.ts');
  using end = streamEnd(context);
  const written = await writeProse(document, { ...writer, signal: end.signal });
  if (written.kind === 'written') return { ...document, prose: written.prose };
  if (!end.signal.aborted)
    context.fail({
      exit: exits.failed,
      what: `${writer.definition.name} wrote nothing: ${written.reason}`,
      next: 'czar closeout is the report without it',
    });
  return null;
}
