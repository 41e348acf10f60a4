/** What a line of an agent's report means in the log. */
import type { NewEvent, Report, Usage } from './events.ts';
import type { Price } from './plan.ts';

/** The event of one accepted report; `price` is what a million tokens cost, for agents that do not tell their cost. */
export function reportEvent(report: Report, price: Price | null): NewEvent {
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
    case 'usage':
      return { type: 'worker.usage', data: { ...priced(report.usage, price), source: 'reported' } };
  }
}

function priced(usage: Usage, price: Price | null): Usage {
  if (price === null || usage.costUsd > 0) return usage;
  const { input, output, cached } = usage;
  const sum = input * price.input + output * price.output + cached * price.cached;
  return { ...usage, costUsd: sum / 1e6 };
}
