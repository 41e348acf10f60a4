/** What of an event stands on its line: the few facts that a reader of a log wants, in a fixed order. */
import type { ChangeVerdict, Event, KeptWork, TreeVerdict } from '../core/events.ts';
import { leftOutOf, leftOutText } from '../core/left-out.ts';
import { limitTexts } from '../core/limits.ts';
import { requestText } from '../core/permissions.ts';
import { homeFields, short, type Field } from './home-fields.ts';

/** Tokens that a worker has used by the end of its last attempt, or null when none were reported. */
export type TokensOf = (run: string, worker: string) => number | null;

/** The facts of an event; empty when its name says all. */
export function eventFields(event: Event, tokens: TokensOf): readonly Field[] {
  const ofRun: readonly Field[] =
    event.worker === undefined && event.run !== undefined ? [['run', event.run]] : [];
  return [...ofRun, ...ownFields(event, tokens)];
}

function ownFields(event: Event, tokens: TokensOf): readonly Field[] {
  switch (event.type) {
    case 'loop.started':
      return [
        ['pid', event.data.pid],
        ['host', event.data.host],
        ['version', event.data.version],
      ];
    case 'loop.ended':
    case 'run.running':
    case 'merge.abandoned':
      return [['reason', event.data.reason]];
    case 'run.started':
      return [
        ['workers', event.data.plan.workers.length],
        ['base', short(event.data.base.commit)],
        ['integration', event.data.integration],
      ];
    case 'plan.amended':
      return (['added', 'changed', 'removed'] as const).flatMap((what) => {
        const ids = event.data[what];
        return ids.length === 0 ? [] : [[what, ids.join(',')] as const];
      });
    case 'limits.changed':
      return [
        ['limits', limitTexts(event.data).join(', ')],
        ['by', event.data.by],
      ];
    case 'budget.warned':
    case 'budget.exceeded': {
      const { scope, used, limit } = event.data;
      return [
        ['scope', scope],
        ...(limit.tokens === null ? [] : [['tokens', `${used.tokens}/${limit.tokens}`] as const]),
        ...(limit.costUsd === null
          ? []
          : [['cost_usd', `${used.costUsd}/${limit.costUsd}`] as const]),
      ];
    }
    case 'budget.raised':
      return [
        ['scope', event.data.scope],
        ['tokens', event.data.tokens],
        ['cost_usd', event.data.costUsd],
        ['by', event.data.by],
      ];
    case 'machine.observed':
      return [
        ['cpu', event.data.cpu],
        ['memory', event.data.memory],
        ['disk', event.data.disk],
        ['free', event.data.free],
      ];
    case 'disk.low':
      return [
        ['free', event.data.free],
        ['reserve', event.data.reserve],
      ];
    case 'run.prepared':
      return [['commit', short(event.data.commit)]];
    case 'run.waiting':
      return [['workers', event.data.workers.join(',')]];
    case 'run.failed':
      return [
        ['workers', event.data.workers.join(',')],
        ['reason', event.data.reason],
      ];
    case 'run.cancelled':
    case 'run.cancel_requested':
    case 'run.paused':
      return [['by', event.data.by]];
    case 'agents.missing':
      return [['agents', event.data.agents.join(',')]];
    case 'worker.started': {
      const { attempt, agent } = event.data;
      if (agent === undefined) return [['attempt', attempt]];
      return [
        ['attempt', attempt],
        ['agent', agent.name],
        ['why', agent.why],
      ];
    }
    case 'worker.complete': {
      const used = tokens(event.run ?? '', event.worker ?? '');
      const known: readonly Field[] = used === null ? [] : [['tokens', used]];
      return event.data.noChange ? [...known, ['no_change', 'true']] : known;
    }
    case 'worker.blocked':
      return [
        ['reason', event.data.block.text],
        ...(event.data.blockedBy === null ? [] : [['blocked_by', event.data.blockedBy] as const]),
      ];
    case 'worker.active':
      return [['pid', event.data.process.pid]];
    case 'worker.pending':
    case 'worker.ready':
    case 'worker.verifying':
    case 'worker.reviewing':
    case 'worker.merging':
    case 'worker.paused':
    case 'worker.failed':
    case 'worker.skipped':
    case 'worker.cancelled':
    case 'worker.stop_requested':
      return event.data.reason === '' ? [] : [['reason', event.data.reason]];
    case 'worker.error':
      return [
        ['error', event.data.error],
        ...(event.data.exit === null ? [] : [['exit', event.data.exit] as const]),
      ];
    case 'worker.merged':
      return [
        ['commit', short(event.data.commit)],
        ['commits', event.data.commits],
      ];
    case 'worker.noted':
      return [
        ['kind', event.data.kind],
        ['text', event.data.text],
      ];
    case 'worker.task_listed':
    case 'worker.task_started':
    case 'worker.task_completed':
      return [['task', event.data.task]];
    case 'worker.checkpoint':
      return [['name', event.data.name]];
    case 'worker.reported_blocked':
      return [['reason', event.data.text]];
    case 'worker.asked':
      return [['question', event.data.text]];
    case 'worker.handoff':
      return [['characters', event.data.text.length]];
    case 'worker.usage':
      return [
        ['input', event.data.input],
        ['output', event.data.output],
        ['cached', event.data.cached],
        ['cost_usd', event.data.costUsd],
        ...(event.data.source === 'reported' ? [] : [[event.data.source, 'true'] as const]),
        ...(event.data.model === undefined ? [] : [['model', event.data.model] as const]),
      ];
    case 'worker.answered':
      return [
        ['id', event.data.id],
        ...(event.data.text === null ? [] : [['answer', event.data.text] as const]),
        ['by', event.data.by],
      ];
    case 'permission.requested':
      return [
        ['id', event.data.id],
        ['kind', event.data.request.kind],
        ['detail', requestText(event.data.request)],
      ];
    case 'permission.answered':
      return [
        ['id', event.data.id],
        ['decision', event.data.decision],
        ...(event.data.text === null ? [] : [['text', event.data.text] as const]),
        ['by', event.data.by],
      ];
    case 'answer.delivered':
      return [['id', event.data.id]];
    case 'review.started':
      return [
        ['reviewer', event.data.reviewer],
        ['review', event.data.n],
        ['tip', short(event.data.tip)],
      ];
    case 'review.approved':
    case 'review.changes_requested':
      return [
        ['reviewer', event.data.reviewer],
        ['tip', short(event.data.tip)],
        ['findings', event.data.findings.length],
        ...(event.data.text === '' ? [] : [['text', event.data.text] as const]),
      ];
    case 'review.inconclusive':
      return [
        ['reviewer', event.data.reviewer],
        ['reason', event.data.reason],
      ];
    case 'permission.denied':
      return [
        ['tool', event.data.tool],
        ['detail', event.data.detail],
        ['by', event.data.by],
      ];
    case 'attempt.session':
      return [
        ['agent', event.data.agent],
        ['session', event.data.session],
      ];
    case 'worker.report_refused':
      return [['error', event.data.error]];
    case 'attempt.read':
      return [
        ['report', event.data.reportOffset],
        ['output', event.data.outputOffset],
      ];
    case 'attempt.prepared':
      return event.data.branch === '' ? [] : [['branch', event.data.branch]];
    case 'attempt.ended':
      return [['end', endText(event.data.end)]];
    case 'work.collected':
      return event.data.work === null
        ? []
        : [
            ['commits', event.data.work.commits],
            ['files', event.data.work.changed.length],
            ...leftOut(event.data.work.kept),
            ...(event.data.notes ?? []).map((note) => ['note', note] as const),
          ];
    case 'teardown.failed':
      return [
        ['command', event.data.command],
        ['finding', event.data.findings.find((one) => one !== event.data.command) ?? ''],
      ];
    case 'work.kept':
      return [
        ['ref', event.data.kept.ref],
        ['files', event.data.kept.files.length],
        ...leftOut([event.data.kept]),
      ];
    case 'pull.requested':
    case 'pull.opened':
    case 'pull.sent_back':
    case 'pull.closed':
    case 'tree.requested':
    case 'tree.made':
    case 'tree.removed':
    case 'kept.dropped':
      return homeFields(event);
    case 'inputs.checked':
      return event.data.missing.length === 0 ? [] : [['missing', event.data.missing.join(',')]];
    case 'gate.started':
      return [
        ['subject', event.data.subject],
        ['tree', short(event.data.tree)],
      ];
    case 'gate.passed':
    case 'gate.failed':
    case 'gate.inconclusive':
      return verdictFields(event.data.verdict);
    case 'protect.approved':
      return [
        ['path', event.data.path],
        ['by', event.data.by],
      ];
    case 'run.approval_set':
      return [
        ['approve', String(event.data.approve)],
        ['by', event.data.by],
      ];
    case 'approval.requested':
      return [['attempt', event.data.attempt]];
    case 'approval.granted':
      return [
        ['attempt', event.data.attempt],
        ['by', event.data.by],
      ];
    case 'approval.denied':
      return [
        ['attempt', event.data.attempt],
        ['by', event.data.by],
        ...(event.data.why === null ? [] : [['reason', event.data.why] as const]),
      ];
    case 'merge.started':
      return [
        ['base', short(event.data.base)],
        ['tip', short(event.data.tip)],
      ];
    case 'merge.built':
    case 'land.built':
      return [['commit', short(event.data.commit)]];
    case 'merge.conflict':
      return [['files', event.data.files.join(',')]];
    case 'merge.resolved':
      return [
        ['onto', short(event.data.onto)],
        ['removed', event.data.removed.map(({ path }) => path).join(',')],
        ['others', event.data.others.join(',')],
      ];
    case 'dependency.superseded':
      return [
        ['dependency', event.data.dependency],
        ['dependent', event.data.dependent],
      ];
    case 'refs.published':
      return [['refs', Object.keys(event.data.refs).length]];
    case 'refs.pushed':
      return [
        ['remote', event.data.remote ?? 'none'],
        ['refs', Object.keys(event.data.refs).filter((ref) => !(ref in event.data.left)).length],
        ['left', Object.keys(event.data.left).length],
      ];
    case 'refs.diverged':
      return [
        ['ref', event.data.ref],
        ['why', event.data.why],
      ];
    case 'land.started':
      return [
        ['target', event.data.target],
        ['mode', event.data.mode],
      ];
    case 'land.refused':
      return [['reason', event.data.reason]];
    case 'run.landed':
    case 'run.synced':
      return [
        ['target', event.data.target],
        ['commit', short(event.data.commit)],
      ];
    case 'prune.started':
      return [
        ['by', event.data.by],
        ['outputs', event.data.outputs.length],
        ['refs', event.data.refs.length],
        ['aside', event.data.aside.length],
      ];
    case 'prune.done':
      return [
        ['outputs', event.data.outputs],
        ['refs', event.data.refs],
        ['bytes', event.data.bytes],
      ];
    case 'uninstall.started':
      return [
        ['by', event.data.by],
        ['bundle', event.data.bundle ?? 'none'],
      ];
    case 'effect.failed':
      return [
        ['effect', event.data.effect],
        ['tries', event.data.tries],
        ['error', event.data.error],
      ];
    case 'run.complete':
    case 'attempt.setup_started':
    case 'attempt.setup_passed':
      return [];
  }
}

function leftOut(kept: readonly KeptWork[]): readonly Field[] {
  const files = leftOutOf(kept);
  return files.length === 0 ? [] : [['left_out', files.map(leftOutText).join(', ')]];
}

function verdictFields(verdict: ChangeVerdict | TreeVerdict): readonly Field[] {
  if ('tip' in verdict) return [['gate', verdict.gate], ...found(verdict)];
  const more: Field[] = [];
  if (verdict.tries !== undefined) more.push(['tries', verdict.tries]);
  if (verdict.quarantined === true) more.push(['quarantined', 'yes']);
  return [['gate', verdict.gate], ['command', verdict.command], ...more, ...found(verdict)];
}

function found(verdict: ChangeVerdict | TreeVerdict): readonly Field[] {
  const [first] = verdict.findings;
  return verdict.result === 'pass' || first === undefined ? [] : [['finding', first]];
}

function endText(end: Extract<Event, { type: 'attempt.ended' }>['data']['end']): string {
  switch (end.how) {
    case 'exited':
      return `exit ${end.code}`;
    case 'stopped':
      return `stopped: ${end.why}`;
    case 'lost':
      return `lost: ${end.why}`;
  }
}
