/**
 * Live progress of a run: as many lines as the terminal has room for, and single lines of what changed where there is
 * no terminal. Pure; what is shown fits, never wider or taller than given.
 */
import type { Event, EventData, EventOf } from '../core/events.ts';
import { isFinal, isLive } from '../core/lifecycle.ts';
import { limitTexts } from '../core/limits.ts';
import { requestText } from '../core/permissions.ts';
import { waveOf } from '../core/schedule/order.ts';
import { definitionOf, type RunState, type WorkerState } from '../core/state.ts';
import { unread } from '../core/unread.ts';
import { columns, cut, oneLine } from './cells.ts';
import { lowDiskText } from './low-disk.ts';
import { clockTime, counted, spanText, thousands } from './figures.ts';
import { membersOf, unmet } from './status.ts';
import { symbols } from './status-text.ts';

/** What the progress is drawn with. */
export interface ProgressOptions {
  readonly run: RunState;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly columns: number;
  readonly rows: number;
  /** What was asked of the loop meanwhile, such as that it finishes; null for nothing. */
  readonly notice: string | null;
  /** The last line that each live agent printed. */
  readonly lastWords: ReadonlyMap<string, string>;
}

/**
 * A heading, the workers by wave, and what agents say. When there is no room for all, workers that are over or not yet
 * begun are counted instead of shown.
 */
export function progressLines(options: ProgressOptions): readonly string[] {
  const { run, now, columns: width, rows } = options;
  if (rows <= 0 || width <= 0) return [];
  const workers = membersOf(run);
  const heading = cut(headline(run, workers, now), width);
  const foot = options.notice === null ? [] : [cut(oneLine(options.notice), width)];
  const room = rows - 1 - foot.length;
  const shown = room <= 0 ? [] : choose(workers, room);
  const body = columns(
    shown.map((worker) => row(worker, options)),
    { width, flex: 5 },
  );
  const hidden = workers.length - shown.length;
  const rest =
    hidden > 0 && body.length < room ? [cut(`  and ${counted(hidden, 'more worker')}`, width)] : [];
  return [heading, ...body, ...rest, ...foot].slice(0, rows);
}

/** One line for an event that changes a worker's state or the run's, `10:15:04 patterns ready → active (attempt 1, claude)`; null for others. */
export function changeLine(
  event: Event,
  options: { readonly run: RunState | null; readonly offsetMinutes: number },
): string | null {
  const text = changeText(event, options.run);
  return text === null ? null : `${clockTime(event.at, options.offsetMinutes)} ${oneLine(text)}`;
}

/** `; it was not told any more: …`, of a worker that has just been done. */
function unreadText(event: Event, run: RunState | null): string {
  const worker =
    event.type === 'worker.complete' ? run?.workers.get(event.worker ?? '') : undefined;
  const texts = worker === undefined ? [] : unread(worker);
  return texts.length === 0 ? '' : `; it was done before it could be told: ${texts.join('; ')}`;
}

function headline(run: RunState, workers: readonly WorkerState[], now: number): string {
  const done = workers.filter((worker) => worker.state === 'complete').length;
  const live = workers.filter((worker) => isLive(worker.state)).length;
  const failed = workers.filter((worker) => worker.state === 'failed').length;
  const tokens = workers.reduce((sum, one) => sum + one.usage.input + one.usage.output, 0);
  return [
    `${oneLine(run.plan.name)}  ${run.id}  ${run.state}`,
    `${done}/${workers.length} complete`,
    `${live} running`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    spanText((run.endedAt ?? now) - run.startedAt),
    ...(tokens > 0 ? [`${thousands(tokens)} tokens`] : []),
  ].join('  ');
}

/** What deserves a line when there are fewer lines than workers, in the order of the plan. */
function choose(workers: readonly WorkerState[], room: number): readonly WorkerState[] {
  if (workers.length <= room) return workers;
  const places = Math.max(0, room - 1);
  const chosen = new Set(workers.toSorted((a, b) => weight(a) - weight(b)).slice(0, places));
  return workers.filter((worker) => chosen.has(worker));
}

function weight(worker: WorkerState): number {
  if (isLive(worker.state)) return 0;
  if (worker.state === 'blocked' || worker.state === 'paused') return 1;
  if (worker.state === 'failed') return 2;
  if (worker.state === 'ready') return 4;
  if (worker.state === 'pending') return 5;
  return isFinal(worker.state) ? 6 : 3;
}

function row(worker: WorkerState, options: ProgressOptions): readonly string[] {
  const { run, now } = options;
  const used = worker.usage.input + worker.usage.output;
  const end = isFinal(worker.state) ? (worker.completedAt ?? now) : now;
  return [
    `${symbols[worker.state]} ${waveOf(run.plan, worker.id)}`,
    worker.id,
    worker.state,
    worker.startedAt === null ? '' : spanText(end - worker.startedAt),
    used === 0 ? '' : thousands(used),
    oneLine(remark(worker, options)),
  ];
}

function remark(worker: WorkerState, options: ProgressOptions): string {
  switch (worker.state) {
    case 'starting':
    case 'active':
      return options.lastWords.get(worker.id) ?? worker.latest.at(-1)?.text ?? '';
    case 'pending':
      return `waits for ${unmet(options.run, worker).join(', ')}`;
    case 'blocked':
      return worker.blockedBy === null
        ? (worker.block?.text ?? worker.reason)
        : `blocked by ${worker.blockedBy}`;
    case 'failed':
    case 'skipped':
    case 'cancelled':
    case 'paused':
      return worker.reason;
    case 'verifying':
    case 'reviewing':
    case 'merging':
      return worker.latest.at(-1)?.text ?? '';
    case 'ready':
    case 'complete':
      return '';
  }
}

function changeText(event: Event, run: RunState | null): string | null {
  switch (event.type) {
    case 'worker.started': {
      const other = event.data.agent;
      const own = run === null ? [] : [definitionOf(run, event.worker ?? '').agent.name];
      const agent = other === undefined ? own : [`${other.name}: ${other.why}`];
      const details = [`attempt ${event.data.attempt}`, ...agent];
      return `${event.worker} ${event.data.from} → starting (${details.join(', ')})`;
    }
    case 'teardown.failed': {
      const { command, findings } = event.data;
      const why = findings.find((one) => one !== command);
      return `${event.worker} teardown failed: ${command}${why === undefined ? '' : `: ${why}`}`;
    }
    case 'budget.warned':
    case 'budget.exceeded':
      return budgetNews(event);
    case 'limits.changed': {
      const texts = limitTexts(event.data);
      return texts.length === 0 ? null : `limits of run ${event.run}: ${texts.join(', ')}`;
    }
    case 'disk.low':
      return lowDiskText(event.data);
    case 'budget.raised': {
      const { scope, tokens, costUsd, by } = event.data;
      const whose = scope === 'worker' ? event.worker : scope;
      const more = [
        ...(tokens > 0 ? [`${thousands(tokens)} tokens`] : []),
        ...(costUsd > 0 ? [`${costUsd} USD`] : []),
      ];
      return `budget of ${whose} raised by ${more.join(' and ')} (${by})`;
    }
    case 'worker.pending':
    case 'worker.ready':
    case 'worker.active':
    case 'worker.verifying':
    case 'worker.reviewing':
    case 'worker.merging':
    case 'worker.complete':
    case 'worker.blocked':
    case 'worker.paused':
    case 'worker.failed':
    case 'worker.skipped':
    case 'worker.cancelled': {
      // A worker that has just been planned has changed from nothing.
      if (event.data.from === null) return null;
      const to = event.type.slice('worker.'.length);
      const isTold = telling.has(to) || (event.type === 'worker.ready' && sendsBack(event.data));
      const why = isTold && event.data.reason !== '' ? ` (${event.data.reason})` : '';
      return `${event.worker} ${event.data.from} → ${to}${why}${unreadText(event, run)}`;
    }
    case 'review.started':
      return `${event.worker} is looked at by ${event.data.reviewer} (review ${event.data.n})`;
    case 'review.approved':
      return `${event.worker} is approved by ${event.data.reviewer}`;
    case 'review.changes_requested':
      return `${event.worker}: ${event.data.reviewer} asks for changes (${counted(event.data.findings.length, 'finding')})`;
    case 'review.inconclusive':
      return `${event.worker}: no verdict of ${event.data.reviewer}: ${event.data.reason}`;
    case 'merge.resolved': {
      const { removed, others } = event.data;
      const count = removed.reduce((sum, { lines, more }) => sum + lines.length + more, 0);
      if (count === 0) return null;
      const whose = others.length === 0 ? 'others' : others.join(', ');
      return `${event.worker}: its resolution removed ${counted(count, 'line')} of ${whose} in ${removed.map(({ path }) => path).join(', ')}: their verify and a review judge it`;
    }
    case 'gate.failed':
    case 'gate.inconclusive': {
      const { verdict } = event.data;
      if (!('tree' in verdict) || verdict.quarantined !== true) return null;
      return `${event.worker ?? event.run}: ${verdict.gate} did not pass and is in quarantine: ${verdict.command}`;
    }
    case 'gate.passed': {
      const { verdict } = event.data;
      if (!('tree' in verdict) || verdict.tries === undefined) return null;
      return `${event.worker ?? event.run}: ${verdict.gate} is flaky, it passed on try ${verdict.tries}: ${verdict.command}`;
    }
    case 'approval.requested':
      return `${event.worker} waits for approval (attempt ${event.data.attempt})`;
    case 'approval.granted':
      return `${event.worker} is approved`;
    case 'run.approval_set':
      return `launches of run ${event.run} ${event.data.approve ? 'wait for approval' : 'wait for nobody'}`;
    case 'worker.error':
      return `${event.worker} attempt failed: ${event.data.error}`;
    case 'permission.requested':
      return `${event.worker}/${event.data.id} waits for permission: ${requestText(event.data.request)}`;
    case 'permission.answered': {
      const { id, decision, by } = event.data;
      return `${event.worker}/${id} ${decision === 'allow' ? 'allowed' : 'denied'} (${by})`;
    }
    case 'permission.denied':
      return `${event.worker} may not: ${event.data.tool} ${event.data.detail}`.trim();
    case 'effect.failed': {
      const { effect, error, tries } = event.data;
      return `${event.worker ?? event.run} ${effect} failed, try ${tries}: ${error}`;
    }
    case 'work.collected':
      return event.data.notes === undefined
        ? null
        : `${event.worker}: ${event.data.notes.join('; ')}`;
    case 'run.started':
      return `run ${event.run} started: ${counted(event.data.plan.workers.length, 'worker')}`;
    case 'plan.amended':
      return `run ${event.run} has another plan: ${amendment(event.data)}`;
    case 'run.waiting':
      return `run ${event.run} waits for a person: ${event.data.workers.join(', ')}`;
    case 'run.paused':
      return `run ${event.run} is paused`;
    case 'run.running':
      return `run ${event.run} goes on`;
    case 'run.complete':
      return `run ${event.run} is complete`;
    case 'run.failed':
      return `run ${event.run} failed: ${event.data.reason}`;
    case 'run.cancelled':
      return `run ${event.run} was cancelled`;
    case 'run.landed':
      return `run ${event.run} landed on ${event.data.target}`;
    case 'refs.pushed':
      return pushText(event.data);
    case 'run.synced':
      return `run ${event.run} has ${event.data.target} as it is now`;
    case 'land.refused':
      return event.data.sync === true
        ? `${event.data.reason}: run ${event.run} stays as it is`
        : `run ${event.run} did not land: ${event.data.reason}`;
    case 'loop.started':
    case 'loop.ended':
    case 'prune.started':
    case 'prune.done':
    case 'uninstall.started':
    case 'machine.observed':
    case 'agents.missing':
    case 'run.prepared':
    case 'run.cancel_requested':
    case 'worker.merged':
    case 'worker.stop_requested':
    case 'worker.noted':
    case 'worker.task_listed':
    case 'worker.task_started':
    case 'worker.task_completed':
    case 'worker.checkpoint':
    case 'worker.reported_blocked':
    case 'worker.asked':
    case 'worker.answered':
    case 'answer.delivered':
    case 'worker.handoff':
    case 'worker.usage':
    case 'worker.report_refused':
    case 'attempt.session':
    case 'attempt.read':
    case 'attempt.prepared':
    case 'attempt.setup_started':
    case 'attempt.setup_passed':
    case 'attempt.ended':
    case 'work.kept':
    case 'kept.dropped':
    case 'tree.requested':
    case 'pull.requested':
    case 'pull.opened':
    case 'pull.sent_back':
    case 'pull.closed':
    case 'tree.made':
    case 'tree.removed':
    case 'inputs.checked':
    case 'gate.started':
    case 'protect.approved':
    case 'approval.denied':
    case 'merge.started':
    case 'merge.built':
    case 'merge.conflict':
    case 'merge.abandoned':
    case 'dependency.superseded':
    case 'refs.published':
    case 'refs.diverged':
    case 'land.started':
    case 'land.built':
      return null;
  }
}

function pushText({ remote, refs, left }: EventData['refs.pushed']): string {
  if (remote === null) return 'nothing is pushed: there is no remote named origin';
  const not = Object.entries(left).map(
    ([ref, why]) => `${ref.replace('refs/heads/', '')} not: ${why}`,
  );
  const done = Object.keys(refs).length - not.length;
  return [
    ...(done > 0 ? [`pushed ${counted(done, 'branch').replace(/branchs$/, 'branches')}`] : []),
    ...not,
  ].join('; ');
}

/** States whose reason says more than their name. */
const telling: ReadonlySet<string> = new Set([
  'blocked',
  'paused',
  'failed',
  'skipped',
  'cancelled',
]);

function amendment(data: EventData['plan.amended']): string {
  const parts = (['added', 'changed', 'removed'] as const).flatMap((what) =>
    data[what].length === 0 ? [] : [`${what} ${data[what].join(', ')}`],
  );
  return parts.length === 0 ? 'no worker changed' : parts.join('; ');
}

function budgetNews(event: EventOf<'budget.warned' | 'budget.exceeded'>): string {
  const { scope, used, limit } = event.data;
  const whose = scope === 'worker' ? event.worker : `the ${scope}`;
  const sums = [
    ...(limit.tokens === null
      ? []
      : [`${thousands(used.tokens)} of ${thousands(limit.tokens)} tokens`]),
    ...(limit.costUsd === null ? [] : [`${used.costUsd.toFixed(2)} of ${limit.costUsd} USD`]),
  ];
  const what = event.type === 'budget.warned' ? 'runs low' : 'is used up';
  return `budget of ${whose} ${what}: ${sums.join(', ')}`;
}

/** Whether it goes back for a cause that no line has told yet: a failed attempt has one of its own. */
function sendsBack({ counts }: EventOf<'worker.ready'>['data']): boolean {
  return counts === 'rework' || counts === 'quota' || counts === 'lost';
}
