/** The reports on status, figures, a day and a week as pages. Pure: each is made of its document alone. */
import { counted, grouped, minuteStamp, percentText, spanText } from './figures.ts';
import { tokensText, type BudgetFigures } from './metrics.ts';
import type { MetricsDocument } from './metrics-schema.ts';
import { listOr, tableOr, type Block, type Page, type Section } from './page.ts';
import type { DailyDocument, WeeklyDocument } from './standup-schema.ts';
import { allTokensText, statusGroups } from './status-text.ts';
import type { StatusDocument } from './status-schema.ts';

/** The run by sections: every worker stands in exactly one of them. */
export function statusPage(document: StatusDocument, name: string): Page {
  const { run, totals } = document;
  const groups = statusGroups(document);
  return {
    title: `${name}: run ${run.id}, ${run.state}`,
    notes: [],
    sections: [
      {
        title: 'Overview',
        blocks: [
          {
            kind: 'facts',
            rows: [
              ['Workers', grouped(totals.total)],
              ...groups.map(({ title, workers }) => [title, grouped(workers.length)] as const),
              ['Complete', percentText(totals.percent)],
              ['Tokens', allTokensText(document)],
            ],
          },
        ],
      },
      ...groups
        .filter(({ workers }) => workers.length > 0)
        .map(({ title, workers }) => ({
          title,
          blocks: [
            {
              kind: 'list' as const,
              items: workers.map(({ id, lines }) => [id, ...lines].join(': ')),
            },
          ],
        })),
    ],
  };
}

/** What each worker cost and brought, and the sums. */
export function metricsPage(document: MetricsDocument): Page {
  const { run, totals } = document;
  return {
    title: `${run.name}: figures of run ${run.id}`,
    notes: unfinished(run),
    sections: [
      { title: 'Workers', blocks: [metricsTable(document)] },
      {
        title: 'Aggregate',
        blocks: [
          {
            kind: 'facts',
            rows: [
              ['Elapsed', spanText(run.elapsed_ms)],
              ['Total duration', `${totals.duration_h.toFixed(2)} hours`],
              ['Total tokens', tokensText(document)],
              ['Total commits', grouped(totals.commits)],
              ['Total files', `${grouped(totals.files.total)} (${filesText(totals.files)})`],
              ['Tests added', grouped(totals.tests_added)],
              ['Tokens used of budget', budgetText(totals.budget)],
            ],
          },
        ],
      },
    ],
  };
}

/** A row for each worker, with the sums below. */
export function metricsTable({ workers, totals }: MetricsDocument): Block {
  const isSilent = tokensText({ workers, totals }) === 'not reported';
  const row = (of: MetricsDocument['totals'] | MetricsDocument['workers'][number]): string[] => [
    of.duration_h.toFixed(2),
    ('source' in of ? of.source === 'none' : isSilent) ? '-' : grouped(of.tokens),
    of.cost_usd === 0 ? '-' : `$${of.cost_usd.toFixed(2)}`,
    grouped(of.attempts),
    grouped(of.commits),
    grouped(of.files.created),
    grouped(of.files.modified),
    grouped(of.files.deleted),
    grouped(of.tests_added),
  ];
  return tableOr(
    {
      kind: 'table',
      head: ['Worker', 'State', ...figureHeads],
      rows: workers.map((worker) => [worker.id, worker.state, ...row(worker)]),
      foot: ['Total', `${totals.complete}/${totals.workers} complete`, ...row(totals)],
      figures: figureHeads.map((_, index) => index + 2),
    },
    'There are no workers.',
  );
}

const figureHeads = [
  'Hours',
  'Tokens',
  'Cost',
  'Attempts',
  'Commits',
  'Created',
  'Modified',
  'Deleted',
  'Tests',
];

/** `1,234 of 150,000 (0%), 148,766 below`. */
export function budgetText({ tokens, percent, variance, verdict }: BudgetFigures): string {
  if (verdict === 'none') return 'no budget';
  if (tokens === null || variance === null || percent === null)
    return tokens === null ? 'no estimate' : `no usage was reported, of ${grouped(tokens)}`;
  const way = variance > 0 ? 'above' : 'below';
  return `${grouped(tokens + variance)} of ${grouped(tokens)} (${percentText(percent)}), ${grouped(Math.abs(variance))} ${way}`;
}

/** `2 created, 1 modified, 0 deleted`. */
export function filesText(files: MetricsDocument['totals']['files']): string {
  return `${grouped(files.created)} created, ${grouped(files.modified)} modified, ${grouped(files.deleted)} deleted`;
}

/** That figures may still change, when they may. */
export function unfinished(run: MetricsDocument['run']): readonly string[] {
  return run.over
    ? []
    : [`The run is not over (it is ${run.state}): every figure here is of this moment.`];
}

/** What is told on the morning of a day. */
export function dailyPage(document: DailyDocument): Page {
  const names = namesFor(document.runs);
  return {
    title: `Daily standup ${document.date}`,
    notes: [timeNote(document.at, document.runs)],
    sections: [
      completed('Completed yesterday', document.completed_yesterday, names),
      completed('Completed today', document.completed_today, names),
      activeSection(document.active, names),
      blockedSection('Blocked', document.blocked, names),
      {
        title: 'Ready to start',
        blocks: [
          listOr(
            document.ready.map((one) =>
              one.waiting_for === null ? names(one) : `${names(one)}, waits for ${one.waiting_for}`,
            ),
            'Nothing.',
          ),
        ],
      },
      {
        title: 'Pending',
        blocks: [
          listOr(
            document.pending.map((one) => `${names(one)}, waits for ${one.waiting_on.join(', ')}`),
            'Nothing.',
          ),
        ],
      },
    ],
  };
}

/** What a week was, and what the next one brings. */
export function weeklyPage(document: WeeklyDocument): Page {
  const names = namesFor(document.runs);
  const { metrics } = document;
  // What workers without a budget used is no part of what was planned.
  const { tokens, budgeted_tokens: spent } = metrics;
  const budget =
    metrics.budget === null
      ? `${grouped(tokens)}, no budget`
      : `${spent === tokens ? '' : `${grouped(tokens)}, of which `}${grouped(spent)} / ${grouped(metrics.budget)} budget (${percentText(metrics.tokens_percent ?? 0)})`;
  return {
    title: `Weekly summary, week of ${document.week}`,
    notes: [timeNote(document.at, document.runs)],
    sections: [
      completed('Completed this week', document.completed, names),
      activeSection(document.active, names),
      {
        title: 'Starting next week',
        blocks: [
          listOr(
            document.starting_next.map((one) =>
              one.waiting_on.length === 0
                ? `${names(one)} (${one.state})`
                : `${names(one)} (waits for ${one.waiting_on.join(', ')})`,
            ),
            'Nothing.',
          ),
        ],
      },
      {
        title: 'Metrics',
        blocks: [
          {
            kind: 'facts',
            rows: [
              ['Total tokens used', budget],
              [
                'Workers completed',
                `${metrics.workers_complete} / ${metrics.workers} (${percentText(metrics.workers_percent ?? 0)})`,
              ],
              ...(metrics.cost_usd > 0
                ? [['Cost', `$${metrics.cost_usd.toFixed(2)}`] as const]
                : []),
            ],
          },
        ],
      },
      { title: 'Risks', blocks: [listOr(document.risks, 'None that the log shows.')] },
      blockedSection('Blockers', document.blockers, names),
      { title: 'Next week plan', blocks: [listOr(document.next, 'Nothing is left to do.')] },
    ],
  };
}

type Names = (of: { readonly run: string; readonly worker: string }) => string;

/** Workers by their ids, with their runs where there are several. */
function namesFor(runs: readonly string[]): Names {
  return ({ run, worker }) => (runs.length > 1 ? `${run}/${worker}` : worker);
}

function timeNote(at: string, runs: readonly string[]): string {
  const which =
    runs.length === 0
      ? 'no run went on in this time'
      : `${runs.length === 1 ? 'run' : 'runs'} ${runs.join(', ')}`;
  return `As of ${minuteStamp(Date.parse(at), 0)} UTC; ${which}.`;
}

function completed(title: string, list: DailyDocument['completed_today'], names: Names): Section {
  const items = list.map((one) => {
    const tokens = one.tokens > 0 ? `${grouped(one.tokens)} tokens, ` : '';
    return `${names(one)} (${tokens}${spanText(one.duration_ms)})`;
  });
  return { title, blocks: [listOr(items, 'Nothing.')] };
}

function activeSection(list: DailyDocument['active'], names: Names): Section {
  const items = list.map((one) => {
    const { tasks, percent, latest } = one;
    const done =
      percent === null
        ? ''
        : `, ${tasks.completed}/${counted(tasks.total, 'task')} (${percentText(percent)})`;
    return `${names(one)}: ${one.state}${done}${latest === null ? '' : `; ${latest}`}`;
  });
  return { title: 'Active', blocks: [listOr(items, 'Nothing.')] };
}

function blockedSection(title: string, list: DailyDocument['blocked'], names: Names): Section {
  const items = list.map((one) => {
    const next = one.next === null ? '' : `; next: ${one.next}`;
    return `${names(one)} (${one.state}), waits on ${one.blocker}: ${one.reason}${next}`;
  });
  return { title, blocks: [listOr(items, 'None.')] };
}
