/** `czar report status|metrics|daily|weekly|closeout`: the run told in sections, as text, Markdown, JSON or HTML. */
import type { Command } from 'commander';
import { emptyState } from '../../core/evolve.ts';
import type { RepositoryState } from '../../core/state.ts';
import type { Reader } from '../../daemon/views/read.ts';
import { workFacts } from '../../daemon/views/run-facts.ts';
import { metricsDocument } from '../../report/metrics.ts';
import { dayAround, dayNamed, weekOf, type Period } from '../../report/period.ts';
import { dailyPage, metricsPage, statusPage, weeklyPage } from '../../report/report-pages.ts';
import { dailyDocument, weeklyDocument } from '../../report/standup.ts';
import { statusDocument } from '../../report/status.ts';
import { statusReport } from '../../report/status-text.ts';
import { defineCloseout } from './closeout.ts';
import { exits } from '../exit.ts';
import { formatOf, printReport, reportOptions, type ReportOptions } from '../print-report.ts';
import { chosenRun, clockOffset, reading } from '../reading.ts';
import type { CliContext, Verb } from '../verb.ts';

interface DatedOptions extends ReportOptions {
  readonly date?: string;
}

export const verb: Verb = {
  define(command, context) {
    reportOptions(command.command('status'))
      .description('overview, completed, active, pending (and what blocks it), ready')
      .action(async (options: ReportOptions) => status(context, options));
    defineMetrics(command.command('metrics'), context);
    dated(command.command('daily'))
      .description('completed yesterday and today, active, blocked, ready')
      .action(async (options: DatedOptions) => daily(context, options));
    dated(command.command('weekly'))
      .description('completed, active, starting next, metrics, risks, blockers, plan')
      .action(async (options: DatedOptions) => weekly(context, options));
    defineCloseout(command.command('closeout'), context);
    command.addHelpText('after', '\nDays are days in UTC, as in the log; weeks begin on Monday.');
  },
};

/** Makes the report on figures of a command: `czar report metrics`, and `czar metrics`. */
export function defineMetrics(command: Command, context: CliContext): void {
  reportOptions(command)
    .description('what each worker cost and brought, and the sums')
    .action(async (options: ReportOptions) => {
      const format = formatOf(context, options, 'text');
      if (format === null) return;
      await reading(context, async (reader, place) => {
        const run = chosenRun(context, reader.loadCurrent(context.options.run));
        if (run === null) return;
        const facts = await workFacts(place, run);
        const document = metricsDocument({ run, facts, now: context.now() });
        const { out } = options;
        await printReport(context, { document, page: metricsPage(document) }, { format, out });
      });
    });
}

async function status(context: CliContext, options: ReportOptions): Promise<void> {
  const format = formatOf(context, options, 'text');
  if (format === null) return;
  await reading(context, async (reader) => {
    const state = reader.loadCurrent(context.options.run);
    const run = chosenRun(context, state);
    if (run === null) return;
    const now = context.now();
    const document = statusDocument({ state, run, now, liveness: reader.liveness(now) });
    const { name } = run.plan;
    const lines = (width: number): readonly string[] =>
      statusReport(document, { name, width, offsetMinutes: clockOffset(now) });
    const page = statusPage(document, name);
    await printReport(context, { document, page, lines }, { format, out: options.out });
  });
}

function dated(command: Command): Command {
  return reportOptions(command).option('--date <day>', 'such as 2025-12-26; today when left out');
}

async function daily(context: CliContext, options: DatedOptions): Promise<void> {
  await onDay(context, options, (day, at) => {
    const document = dailyDocument(day, at);
    return { document, page: dailyPage(document) };
  });
}

async function weekly(context: CliContext, options: DatedOptions): Promise<void> {
  await onDay(
    context,
    options,
    (week, at) => {
      const document = weeklyDocument(week, at);
      return { document, page: weeklyPage(document) };
    },
    weekOf,
  );
}

/** Tells of the day that is named, or of what is around it, as things stood at its end, or stand now. */
async function onDay(
  context: CliContext,
  options: DatedOptions,
  tell: (
    period: Period,
    at: { readonly state: RepositoryState; readonly run: string | null; readonly at: number },
  ) => Parameters<typeof printReport>[1],
  around: (day: Period) => Period = (day) => day,
): Promise<void> {
  const format = formatOf(context, options, 'text');
  if (format === null) return;
  const now = context.now();
  const day = options.date === undefined ? dayAround(now) : dayNamed(options.date);
  if (day === null) {
    return context.fail({
      exit: exits.wrong,
      what: `there is no day ${options.date}`,
      next: '--date YYYY-MM-DD',
    });
  }
  await reading(context, async (reader) => {
    const period = around(day);
    const at = Math.min(now, period.to - 1);
    const state = at === now ? reader.load() : stateBefore(reader, at);
    const { run } = context.options;
    if (run !== null && chosenRun(context, state) === null) return;
    const report = tell(period, { state, run, at });
    await printReport(context, report, { format, out: options.out });
  });
}

/** The state as it was at a moment. */
function stateBefore(reader: Reader, at: number): RepositoryState {
  const seq = reader.seqAt(at);
  return seq === 0 ? emptyState() : reader.stateAt(seq);
}
