/** The closing report as a page. Pure: made of its document alone. */
import type { CloseoutDocument } from './closeout-schema.ts';
import { counted, grouped, minuteStamp, spanText } from './figures.ts';
import { tokensText } from './metrics.ts';
import { listOr, tableOr, type Page, type Section } from './page.ts';
import { budgetText, filesText, metricsTable, unfinished } from './report-pages.ts';

/** The page. */
export function closeoutPage(document: CloseoutDocument): Page {
  const { run } = document;
  return {
    title: `Closeout of ${run.name}: run ${run.id}`,
    notes: unfinished(run),
    sections: [
      summary(document),
      ...prose(document),
      deliverables(document),
      tasks(document),
      { title: 'Metrics per worker', blocks: [metricsTable({ ...document, ...document.metrics })] },
      aggregate(document),
      merges(document),
      conflicts(document),
      reviews(document),
      gates(document),
      open(document),
      lessons(document),
      budget(document),
    ],
  };
}

function at(time: string): string {
  return minuteStamp(Date.parse(time), 0);
}

function summary({ summary: sentences, run }: CloseoutDocument): Section {
  return {
    title: 'Executive summary',
    blocks: [
      { kind: 'text', text: sentences.join(' ') },
      {
        kind: 'facts',
        rows: [
          ['Run', `${run.id} (${run.state})`],
          ['Started', `${at(run.started_at)} UTC`],
          ['Ended', run.ended_at === null ? 'not yet' : `${at(run.ended_at)} UTC`],
          ['Base', run.base],
          ['Integration', `${run.integration} at ${run.tip ?? 'nothing yet'}`],
          [
            'Landed',
            run.landed === null ? 'no' : `on ${run.landed.target} as ${run.landed.commit}`,
          ],
        ],
      },
    ],
  };
}

/** An agent's words are never taken for the report's own. */
function prose({ prose: written }: CloseoutDocument): readonly Section[] {
  if (written === null) return [];
  const { agent, text, usage } = written;
  const cost =
    usage === null ? '' : `, with ${grouped(usage.input + usage.output)} tokens of its own`;
  return [
    {
      title: `In the words of ${agent}`,
      blocks: [
        {
          kind: 'text',
          text: `Written by an agent${cost}. The figures are those of the other sections.`,
        },
        ...text.split(/\n{2,}/).map((part) => ({ kind: 'text', text: part.trim() }) as const),
      ],
    },
  ];
}

function deliverables(document: CloseoutDocument): Section {
  const rows = document.deliverables.map(({ worker, path, present }) => [
    worker,
    path,
    present === null ? 'not known' : present ? 'there' : 'missing',
  ]);
  const { brought } = document;
  return {
    title: 'Deliverables',
    blocks: [
      tableOr(
        { kind: 'table', head: ['Worker', 'Deliverable', 'On integration'], rows },
        'No worker declares any.',
      ),
      ...(brought === null
        ? []
        : [
            {
              kind: 'text' as const,
              text: `Integration has ${counted(brought.commits, 'commit')} over its base, with changes to ${counted(brought.files.total, 'file')}: ${filesText(brought.files)}.`,
            },
          ]),
      ...(document.handoffs.length === 0
        ? []
        : [
            {
              kind: 'list' as const,
              items: document.handoffs.map(({ worker, text }) => `Handoff of ${worker}: ${text}`),
            },
          ]),
    ],
  };
}

function tasks(document: CloseoutDocument): Section {
  const done = document.tasks.filter((task) => task.completed_at !== null).length;
  const items = document.tasks.map(({ worker, task, started_at, completed_at }) => {
    const state = completed_at !== null ? 'done' : started_at !== null ? 'begun' : 'not begun';
    return `${worker}: ${task} (${state})`;
  });
  const all = document.tasks.length;
  return {
    title: 'Tasks',
    blocks: [
      ...(all === 0
        ? []
        : [{ kind: 'text' as const, text: `${done} of ${all} tasks were reported done.` }]),
      listOr(items, 'No worker lists any.'),
    ],
  };
}

function aggregate({ run, metrics }: CloseoutDocument): Section {
  const { totals } = metrics;
  return {
    title: 'Aggregate metrics',
    blocks: [
      {
        kind: 'facts',
        rows: [
          ['Elapsed', spanText(run.elapsed_ms)],
          ['Workers complete', `${totals.complete} of ${totals.workers}`],
          ['Total duration', `${totals.duration_h.toFixed(2)} hours`],
          ['Total tokens', tokensText(metrics)],
          ['Total cost', totals.cost_usd === 0 ? 'not reported' : `$${totals.cost_usd.toFixed(2)}`],
          ['Total commits', grouped(totals.commits)],
          ['Total files', `${grouped(totals.files.total)} (${filesText(totals.files)})`],
          ['Tests added', grouped(totals.tests_added)],
          ['Efficiency', `tokens used of budget: ${budgetText(totals.budget)}`],
        ],
      },
    ],
  };
}

function merges(document: CloseoutDocument): Section {
  const rows = document.merges.map((one, index) => [
    String(index + 1),
    one.worker,
    one.commit.slice(0, 10),
    at(one.at),
    grouped(one.commits),
    grouped(one.files.total),
  ]);
  const landings = document.landings.map((one) =>
    one.commit === null
      ? `${at(one.at)}: landing on ${one.target} was refused: ${one.reason?.split('\n')[0] ?? ''}`
      : `${at(one.at)}: landed on ${one.target} as ${one.commit.slice(0, 10)}`,
  );
  return {
    title: 'Merges',
    blocks: [
      tableOr(
        {
          kind: 'table',
          head: ['', 'Worker', 'Commit', 'At (UTC)', 'Commits', 'Files'],
          rows,
          figures: [4, 5],
        },
        'Nothing has been merged.',
      ),
      ...(landings.length === 0 ? [] : [{ kind: 'list' as const, items: landings }]),
    ],
  };
}

function conflicts(document: CloseoutDocument): Section {
  const items = document.conflicts.map(
    ({ worker, at: time, files, merged_later }) =>
      `${worker} (${at(time)}): ${files.join(', ') || 'the whole branch'}; ${merged_later ? 'settled and merged later' : 'not merged'}`,
  );
  return { title: 'Conflicts', blocks: [listOr(items, 'There were none.')] };
}

function reviews({ reviews: all, reworks, failed_attempts }: CloseoutDocument): Section {
  return {
    title: 'Reviews and reworks',
    blocks: [
      listOr(
        all.map((one) => `${one.worker} (${at(one.at)}): ${one.text}`),
        'No review took place.',
      ),
      listOr(
        reworks.map((one) => `${one.worker} (${at(one.at)}) was sent back: ${one.reason}`),
        'Nothing was sent back.',
      ),
      listOr(
        failed_attempts.map(
          (one) => `${one.worker}, attempt ${one.attempt} (${at(one.at)}) failed: ${one.error}`,
        ),
        'No attempt failed.',
      ),
    ],
  };
}

function gates(document: CloseoutDocument): Section {
  const rows = document.gates.map((one) => [
    one.gate,
    one.command ?? '',
    grouped(one.passed),
    grouped(one.failed),
    grouped(one.inconclusive),
  ]);
  return {
    title: 'Gates',
    blocks: [
      tableOr(
        {
          kind: 'table',
          head: ['Gate', 'Command', 'Passed', 'Failed', 'No verdict'],
          rows,
          figures: [2, 3, 4],
        },
        'No gate gave a verdict.',
      ),
    ],
  };
}

function open(document: CloseoutDocument): Section {
  const items = document.open.map(({ worker, what, next }) => {
    const who = worker === null ? '' : `${worker}: `;
    return `${who}${what}${next === null ? '' : `; next: ${next}`}`;
  });
  return { title: 'Open issues', blocks: [listOr(items, 'None.')] };
}

function lessons(document: CloseoutDocument): Section {
  return {
    title: 'Lessons',
    blocks: [listOr(document.lessons, 'The log shows nothing that went other than planned.')],
  };
}

function budget(document: CloseoutDocument): Section {
  const words = {
    within: 'within budget',
    over_estimate: 'above the estimate, within the limit',
    over_limit: 'over budget',
    unknown: 'not known: nothing was reported',
    none: 'no budget',
  } as const;
  const rows = document.metrics.workers
    .filter((worker) => worker.budget.verdict !== 'none')
    .map(({ id, budget: of, tokens, source }) => [
      id,
      source === 'none' ? '-' : grouped(tokens),
      of.tokens === null ? '-' : grouped(of.tokens),
      of.limit === null ? '-' : grouped(of.limit),
      of.variance === null ? '-' : signed(of.variance),
      of.percent === null ? '-' : `${of.percent}%`,
      words[of.verdict],
    ]);
  return {
    title: 'Verdict on budget',
    blocks: [
      { kind: 'text', text: document.budget.text },
      ...(rows.length === 0
        ? []
        : [
            {
              kind: 'table' as const,
              head: ['Worker', 'Used', 'Budget', 'Limit', 'Variance', 'Used of budget', 'Verdict'],
              rows,
              figures: [1, 2, 3, 4, 5],
            },
          ]),
      { kind: 'text', text: 'Whether it was on time is not judged: a plan holds no dates.' },
    ],
  };
}

function signed(value: number): string {
  return value > 0 ? `+${grouped(value)}` : value < 0 ? `-${grouped(-value)}` : '0';
}
