/** What a line of an agent's report means in the log. */
import type { NewEvent, Report, Usage } from './events.ts';
import type { Price } from './plan.ts';
import { since, sum } from './usage.ts';

/** What is known where a report is read. */
export interface ReportGround {
  /** The agent that says it. */
  readonly agent: string;
  /** What a million tokens cost, for agents that do not tell their cost. */
  readonly price: Price | null;
  /** What the attempt has told of its usage so far. */
  readonly used: Usage;
}

/** The events of accepted reports, in their order. */
export function reportEvents(
  reports: readonly Report[],
  ground: ReportGround,
): readonly NewEvent[] {
  let { used } = ground;
  return reports.map((report) => {
    const event = reportEvent(report, { ...ground, used });
    if (event.type === 'worker.usage') used = sum(used, event.data);
    return event;
  });
}

function reportEvent(report: Report, { agent, price, used }: ReportGround): NewEvent {
  switch (report.kind) {
    case 'task-start':
      return { type: 'worker.task_started', data: { task: report.task } };
    case 'task-complete':
      return { type: 'worker.task_completed', data: { task: report.task } };
    case 'checkpoint':
      return { type: 'worker.checkpoint', data: { name: report.name } };
    case 'blocked':
      return { type: 'worker.reported_blocked', data: { text: report.text } };
    case 'ask':
      return { type: 'worker.asked', data: { text: report.text } };
    case 'handoff':
      return { type: 'worker.handoff', data: { text: report.text } };
    case 'usage': {
      const told = priced(report.usage, price);
      const usage = report.total === true ? since(used, told) : told;
      return { type: 'worker.usage', data: { ...usage, source: 'reported' } };
    }
    case 'session':
      return { type: 'attempt.session', data: { agent, session: report.id } };
    case 'denied': {
      const { tool, detail } = report;
      return { type: 'permission.denied', data: { tool, detail, by: 'policy' } };
    }
  }
}

function priced(usage: Usage, price: Price | null): Usage {
  if (price === null || usage.costUsd > 0) return usage;
  const { input, output, cached } = usage;
  const cost = input * price.input + output * price.output + cached * price.cached;
  return { ...usage, costUsd: cost / 1e6 };
}
