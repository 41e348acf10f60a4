/** What a line of an agent's report means in the log. */
import type { NewEvent, Report } from './events.ts';

/** The event of one accepted report. */
export function reportEvent(report: Report): NewEvent {
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
      return { type: 'worker.usage', data: { ...report.usage, source: 'reported' } };
  }
}
