/** What a line of an agent's report means in the log. */
import { mostOpenAsks } from '../asks.ts';
import type { NewEvent, Report, Usage } from '../events.ts';
import { requestText } from '../permissions.ts';
import type { Price } from '../plan.ts';
import type { Ask, TaskState } from '../state.ts';
import { nameTask, touchTask } from '../evolve/task-list.ts';
import { noUsage, since, sum } from '../usage.ts';

/** What is known where a report is read. */
export interface ReportGround {
  /** The agent that says it. */
  readonly agent: string;
  /** What a million tokens cost, for agents that do not tell their cost. */
  readonly price: Price | null;
  /** The model that it was started with; null or left out where that is its own affair. */
  readonly model?: string | null;
  /** What the attempt has told of its usage so far. */
  readonly used: Usage;
  /** Whether some of it was counted on the way to its provider. */
  readonly metered?: boolean;
  /** What it waits, or has waited, for an answer to. */
  readonly asks: readonly Pick<Ask, 'id' | 'what' | 'answer'>[];
  /** The tasks of the worker as the log has them; left out where they are not looked at. */
  readonly tasks?: readonly TaskState[];
  /** What happens to a permission that nobody settles. */
  readonly unsettled: { readonly afterMs: number; readonly instead: 'deny' | 'fail' };
}

type Told = Extract<Report, { kind: 'usage' }>;

/** Where a report is read without anybody who could answer. */
export const nobodyAsks = { asks: [], unsettled: { afterMs: 0, instead: 'deny' } } as const;

/** The events of accepted reports, in their order. */
export function reportEvents(
  reports: readonly Report[],
  ground: ReportGround,
): readonly NewEvent[] {
  let { used, asks, tasks = [], metered = false } = ground;
  return reports.flatMap((report) => {
    const task = taskEvent(report, tasks);
    if (task !== null) {
      tasks = task.tasks;
      return task.event ?? [];
    }
    const event = reportEvent(report, { ...ground, used, asks, metered });
    if (event?.type === 'worker.usage') {
      used = sum(used, event.data);
      metered ||= event.data.source === 'metered';
    }
    asks = asksAfter(asks, event);
    return event ?? [];
  });
}

/** What a report says of a task, with the tasks after it; null for any other report. */
function taskEvent(
  report: Report,
  tasks: readonly TaskState[],
): { readonly event: NewEvent | null; readonly tasks: readonly TaskState[] } | null {
  if (report.kind === 'task-listed') {
    const { task, ref } = report;
    if (tasks.some((one) => one.ref === ref && one.task === task)) return { event: null, tasks };
    const event = { type: 'worker.task_listed', data: { task, ref } } as const;
    return { event, tasks: nameTask(tasks, task, ref) };
  }
  if (report.kind === 'task-moved') {
    const task = tasks.find(({ ref }) => ref === report.ref)?.task;
    if (task === undefined) return { event: null, tasks };
    const kind = report.to === 'started' ? 'task-start' : 'task-complete';
    return taskEvent({ kind, task, listed: true }, tasks);
  }
  if (!('task' in report)) return null;
  const { task } = report;
  if (report.listed === true && isTold(tasks, report)) return { event: null, tasks };
  const isStart = report.kind === 'task-start';
  const type = isStart ? 'worker.task_started' : 'worker.task_completed';
  const times = isStart ? { startedAt: 0 } : { completedAt: 0 };
  return { event: { type, data: { task } }, tasks: touchTask(tasks, task, times) };
}

function reportEvent(report: Report, ground: ReportGround): NewEvent | null {
  const { agent } = ground;
  switch (report.kind) {
    case 'task-start':
    case 'task-complete':
    case 'task-listed':
    case 'task-moved':
      return null;
    case 'checkpoint':
      return { type: 'worker.checkpoint', data: { name: report.name } };
    case 'blocked':
      return { type: 'worker.reported_blocked', data: { text: report.text } };
    case 'ask': {
      const { text, wait } = report;
      if (wait === undefined) return { type: 'worker.asked', data: { text } };
      return unaskable(wait.id, ground) ?? { type: 'worker.asked', data: { text, wait } };
    }
    case 'permission': {
      const { id, request } = report;
      const data = { id, request, ...ground.unsettled };
      return unaskable(id, ground) ?? { type: 'permission.requested', data };
    }
    case 'gave-up': {
      const ask = ground.asks.find(({ id, answer }) => id === report.id && answer === null);
      if (ask === undefined) return null;
      const { id, what } = ask;
      const none = { id, text: null, by: 'agent' } as const;
      return what.kind === 'question'
        ? { type: 'worker.answered', data: none }
        : { type: 'permission.answered', data: { ...none, decision: 'deny' } };
    }
    case 'handoff':
      return { type: 'worker.handoff', data: { text: report.text } };
    case 'usage':
      return ground.metered === true && report.metered !== true
        ? costBeside(report, ground)
        : usageEvent(report, ground);
    case 'session':
      return { type: 'attempt.session', data: { agent, session: report.id } };
    case 'denied': {
      const { tool, detail } = report;
      // What a person denied is on record as that.
      if (ground.asks.some((ask) => wasDenied(ask, detail))) return null;
      return { type: 'permission.denied', data: { tool, detail, by: 'policy' } };
    }
  }
}

function usageEvent(report: Told, ground: ReportGround): NewEvent {
  const { price, used } = ground;
  const told = priced(report.usage, price);
  const usage = report.total === true ? since(used, told) : told;
  const source = report.metered === true ? 'metered' : 'reported';
  return { type: 'worker.usage', data: { ...usage, source, ...modelOf(report, ground) } };
}

/** What was counted holds the tokens that the agent tells; its money counts where no price makes money of those. */
function costBeside(report: Told, ground: ReportGround): NewEvent | null {
  const { price, used } = ground;
  if (price !== null) return null;
  const { usage, total } = report;
  const costUsd = total === true ? since(used, usage).costUsd : usage.costUsd;
  if (costUsd === 0) return null;
  return {
    type: 'worker.usage',
    data: { ...noUsage, costUsd, source: 'metered', ...modelOf(report, ground) },
  };
}

/** As it is told, else as it was asked for. */
function modelOf(report: Told, ground: ReportGround): { readonly model?: string } {
  const model = report.model ?? ground.model ?? undefined;
  return model === undefined ? {} : { model };
}

/** Whether it is what was asked for and denied: an agent tells it once more, on one line and cut. */
function wasDenied({ what, answer }: ReportGround['asks'][number], detail: string): boolean {
  if (what.kind !== 'permission' || answer?.decision !== 'deny') return false;
  const asked = requestText(what.request).replaceAll(/\s+/g, ' ').trim();
  const told = detail.replace(/…$/, '');
  return told === asked || (told !== detail && asked.startsWith(told));
}

/** Whether the log has it already that the task was begun, or done. */
function isTold(
  tasks: readonly TaskState[],
  { kind, task }: { readonly kind: 'task-start' | 'task-complete'; readonly task: string },
): boolean {
  const known = tasks.find((one) => one.task.trim() === task.trim());
  if (known === undefined) return false;
  return known.completedAt !== null || (kind === 'task-start' && known.startedAt !== null);
}

/** Why nobody is asked: an id means one thing, and a person can only look at so much. */
function unaskable(id: string, { asks }: ReportGround): NewEvent | null {
  const refused = (error: string): NewEvent => ({ type: 'worker.report_refused', data: { error } });
  if (asks.some((one) => one.id === id)) return refused(`${id} was asked already`);
  const open = asks.filter(({ answer }) => answer === null).length;
  return open < mostOpenAsks ? null : refused(`${open} answers are waited for already`);
}

function asksAfter(asks: ReportGround['asks'], event: NewEvent | null): ReportGround['asks'] {
  if (event?.type === 'permission.requested') {
    const { id, request } = event.data;
    return [...asks, { id, what: { kind: 'permission', request }, answer: null }];
  }
  if (event?.type === 'worker.asked' && event.data.wait !== undefined) {
    const { text, wait } = event.data;
    return [...asks, { id: wait.id, what: { kind: 'question', text }, answer: null }];
  }
  if (event?.type === 'permission.answered' || event?.type === 'worker.answered') {
    const { id, text, by } = event.data;
    const answer = { decision: 'deny', text, by } as const;
    return asks.map((ask) => (ask.id === id ? { ...ask, answer } : ask));
  }
  return asks;
}

function priced(usage: Usage, price: Price | null): Usage {
  if (price === null || usage.costUsd > 0) return usage;
  const { input, output, cached } = usage;
  const cost = input * price.input + output * price.output + cached * price.cached;
  return { ...usage, costUsd: cost / 1e6 };
}
