/**
 * The report that closes a run: what was wanted, what is there, what it cost, what went wrong and what is left. Pure:
 * state, events and what git says are arguments, and every figure is one of theirs.
 */
import { isUsedUp, runAccount } from '../core/budget.ts';
import type { Event } from '../core/events.ts';
import { isFinal } from '../core/lifecycle.ts';
import { leftOutOf } from '../core/left-out.ts';
import { mergedName } from '../core/publish.ts';
import { definitionOf, isRunLive, type RunState } from '../core/state.ts';
import { closeoutHistory } from './closeout-history.ts';
import { lessonsOf } from './closeout-lessons.ts';
import type { CloseoutDocument } from './closeout-schema.ts';
import { counted, grouped, percentText, spanText, timestamp } from './figures.ts';
import { metricsDocument, reportedRun, tokensText, type WorkFacts } from './metrics.ts';
import type { MetricsDocument } from './metrics-schema.ts';
import { nextCommand } from './next-command.ts';
import { budgetText } from './report-pages.ts';
import { notPushed } from './not-pushed.ts';
import { membersOf } from './status.ts';

export interface CloseoutOptions {
  readonly run: RunState;
  /** Everything that the log has of the run, oldest first. */
  readonly events: Iterable<Event>;
  /** Branches that the remote did not take, each with the reason. */
  readonly refused: Readonly<Record<string, string>>;
  readonly facts: ReadonlyMap<string, WorkFacts>;
  readonly deliverables: CloseoutDocument['deliverables'];
  readonly brought: CloseoutDocument['brought'];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The document. */
export function closeoutDocument(options: CloseoutOptions): CloseoutDocument {
  const { run, now, brought } = options;
  const metrics = metricsDocument(options);
  const history = closeoutHistory(run, options.events, metrics);
  const budget = verdictOnBudget(run, metrics);
  const { workers, totals } = metrics;
  const open = openIssues(run, options.deliverables, options.refused);
  return {
    v: 1,
    at: timestamp(now),
    run: {
      ...reportedRun(run, now),
      base: run.base.commit,
      integration: run.integration,
      tip: run.tip,
      landed: landedOf(run),
    },
    summary: summaryOf(run, { metrics, brought, open: open.length, budget: budget.text }),
    prose: null,
    brought,
    deliverables: options.deliverables,
    tasks: membersOf(run).flatMap((worker) =>
      worker.tasks.map(({ task, startedAt, completedAt }) => ({
        worker: worker.id,
        task,
        started_at: startedAt === null ? null : timestamp(startedAt),
        completed_at: completedAt === null ? null : timestamp(completedAt),
      })),
    ),
    metrics: { workers, totals },
    ...history,
    open,
    handoffs: membersOf(run).flatMap(({ id, handoff }) =>
      handoff === null ? [] : [{ worker: id, text: handoff }],
    ),
    lessons: [...lessonsOf({ run, metrics, history })],
    budget,
  };
}

function landedOf({ landed }: RunState): CloseoutDocument['run']['landed'] {
  if (landed === null) return null;
  const { target, commit, at } = landed;
  return { target, commit, at: timestamp(at) };
}

function summaryOf(
  run: RunState,
  of: {
    readonly metrics: MetricsDocument;
    readonly brought: CloseoutDocument['brought'];
    readonly open: number;
    readonly budget: string;
  },
): string[] {
  const { totals, run: told } = of.metrics;
  const share = totals.workers === 0 ? 0 : (totals.complete / totals.workers) * 100;
  const after = spanText(told.elapsed_ms);
  const ending = isRunLive(run)
    ? `Run ${run.id} is not over: it is ${run.state} after ${after}.`
    : `Run ${run.id} ended ${run.state} after ${after}.`;
  const cost = totals.cost_usd > 0 ? `; cost: $${totals.cost_usd.toFixed(2)}` : '';
  return [
    ending,
    `${totals.complete} of ${counted(totals.workers, 'worker')} complete (${percentText(share)}), in ${counted(totals.attempts, 'attempt')}.`,
    of.brought === null
      ? `The workers made ${counted(totals.commits, 'commit')}.`
      : `${mergedName(run)} has ${counted(of.brought.commits, 'commit')} over ${run.base.commit.slice(0, 10)}, with changes to ${counted(of.brought.files.total, 'file')}.`,
    `${usedText(of.metrics)}${cost}. ${of.budget}`,
    run.landed === null
      ? 'It has not landed.'
      : `It landed on ${run.landed.target} as ${run.landed.commit.slice(0, 10)}.`,
    of.open === 0 ? 'Nothing is open.' : `${counted(of.open, 'issue')} open.`,
  ];
}

/** What is not as it should be, each with what settles it. */
function openIssues(
  run: RunState,
  deliverables: CloseoutDocument['deliverables'],
  refused: Readonly<Record<string, string>>,
): CloseoutDocument['open'] {
  const members = membersOf(run);
  const unfinished = members
    .filter(({ state }) => state !== 'complete')
    .map((worker) => ({
      worker: worker.id,
      what: `it is ${worker.state}: ${worker.block?.text ?? worker.reason}`,
      next: nextCommand(run, worker),
    }));
  const missing = deliverables
    .filter(({ worker, present }) => {
      const state = run.workers.get(worker)?.state;
      return present === false && state !== undefined && isFinal(state);
    })
    .map(({ worker, path }) => ({
      worker,
      what: `its deliverable ${path} is not on ${run.integration}`,
      next: null,
    }));
  const kept = members
    .filter((worker) => worker.kept.some(({ files }) => files.length > 0))
    // What an empty workspace brought is kept, and meant to be.
    .filter(({ id, state }) => state !== 'complete' || definitionOf(run, id).workspace !== 'empty')
    .map((worker) => ({
      worker: worker.id,
      what: `work of it is kept and not merged: ${worker.kept.map(({ ref }) => ref).join(', ')}`,
      next: `czar kept show ${worker.id}`,
    }));
  const left = members.flatMap((worker) =>
    leftOutOf(worker.kept).map(({ path, why }) => ({
      worker: worker.id,
      what: `${path} was left out of git: ${why}`,
      next: 'czar kept list',
    })),
  );
  const diverged = Object.entries(run.diverged).map(([ref, why]) => ({
    worker: null,
    what: `${ref} was moved by somebody else: ${why}`,
    next: null,
  }));
  const unlanded =
    run.mergedOrder.length > 0 && run.landed?.tip !== run.tip
      ? [
          {
            worker: null,
            what: `${mergedName(run)} has not landed${run.target === null ? '' : ` on ${run.target}`}`,
            next: run.state === 'complete' ? 'czar land' : 'czar land --partial',
          },
        ]
      : [];
  const unsent = notPushed(refused).map(({ ref, reason, next }) => ({
    worker: null,
    what: `${ref} was not taken by origin: ${reason}`,
    next,
  }));
  return [...unfinished, ...missing, ...kept, ...left, ...diverged, ...unsent, ...unlanded];
}

function usedText(metrics: MetricsDocument): string {
  const text = tokensText(metrics);
  return text === 'not reported' ? 'No use of tokens was reported' : `Tokens used: ${text}`;
}

function verdictOnBudget(run: RunState, { totals }: MetricsDocument): CloseoutDocument['budget'] {
  const account = runAccount(run);
  const { limit, used } = account;
  const ofRun =
    limit.tokens === null
      ? ''
      : ` The run used ${grouped(used.tokens)} of the ${grouped(limit.tokens)} tokens that it may${isUsedUp(account) ? ': its budget is used up' : ''}.`;
  return {
    ...totals.budget,
    run: { limit: limit.tokens, used: used.tokens },
    text: `${verdictText(totals.budget)}${ofRun}`,
  };
}

function verdictText(budget: MetricsDocument['totals']['budget']): string {
  switch (budget.verdict) {
    case 'within':
      return `Within budget: ${budgetText(budget)}.`;
    case 'over_estimate':
      return `Above the estimate, within the limits: ${budgetText(budget)}.`;
    case 'over_limit':
      return `Over budget: ${budgetText(budget)}.`;
    case 'unknown':
      return budget.variance === null
        ? 'Whether it was within budget is not known: no usage was reported.'
        : `Within budget as far as usage was reported, which is not all: ${budgetText(budget)}.`;
    case 'none':
      return 'No worker had a budget.';
  }
}
