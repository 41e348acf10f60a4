/**
 * What is to be done now, as intents: a function of state and `now`, so that a restart is load and schedule (A2). Every
 * intent has a durable event before it: the one that brought the worker or run into the state it is derived from (S14).
 */
import { nextUnanswered, undelivered } from './asks.ts';
import { grantedWait, launchGivenUp } from './trouble.ts';
import { collectMode } from './schedule/collect-mode.ts';
import { lookAgainMs } from './disk-space.ts';
import { inputsOf, resourceLack, setupOf } from './schedule/grant.ts';
import { answerKey, commitKey, intentKey as key } from './intent-key.ts';
import type { Intent } from './intents.ts';
import { staggerEnd } from './schedule/stagger.ts';
import { publishable, publishKey, unpublished } from './publish.ts';
import { pushKey, unpushed } from './push.ts';
import { mergeChain, passedFirst, type Candidate } from './schedule/merge-chain.ts';
import { merging } from './schedule/queue.ts';
import { tendingIntents } from './tended-trees.ts';
import { reviewIntents } from './schedule/reviews.ts';
import { restlessRuns } from './restless.ts';
import { waitsForDay } from './budget.ts';
import { nextDay } from './spend.ts';
import { workersIn } from './run-index.ts';
import { changeVerdicts, treeOf, tipOf } from './settle.ts';
import {
  definitionOf,
  isRunLive,
  type RepositoryState,
  type RunState,
  type WorkerState,
} from './state.ts';
import { branchGates, firstGroup, judgements, landGates, openGates } from './tree-gates.ts';
import { nextAgent } from './schedule/which-agent.ts';
import { nextFallback } from './unanswered.ts';

export interface ScheduleOptions {
  readonly now: number;
  /** Stop every live attempt, its work kept, and every worker's check: the loop was told to end at once. */
  readonly stopping: boolean;
  /** Runs whose refs that were left alone are tried once more; none when left out. */
  readonly retryDiverged?: ReadonlySet<string>;
  /** Branches that the remote did not take and that a person wants pushed once more, by run; none when left out. */
  readonly pushAgain?: ReadonlyMap<string, readonly string[]>;
}

export interface Schedule {
  readonly intents: readonly Intent[];
  /** When to look again though nothing happens (backoff, time limit, a pause after a failed effect); null for never. */
  readonly wakeAt: number | null;
}

/** Effects that should be under way now. */
export function schedule(state: RepositoryState, options: ScheduleOptions): Schedule {
  const intents: Intent[] = [];
  let wakeAt: number | null = null;
  const wake = (at: number): void => {
    wakeAt = wakeAt === null ? at : Math.min(wakeAt, at);
  };
  for (const run of restlessRuns(state, options.pushAgain?.keys())) {
    for (const intent of ofRun(state, run, options, wake)) {
      // A check that is stopped has no verdict and runs again; somebody waits for a landing.
      if (options.stopping && intent.kind === 'check' && intent.subject !== 'land') continue;
      if (options.stopping && intent.kind === 'teardown') continue;
      const pause = grantedWait(run, intent, options.now);
      if (pause === null) intents.push(intent);
      else wake(pause);
    }
  }
  return { intents, wakeAt };
}

/** Name of the worker's branch, as written or `czar/<run>/<id>`. */
export function branchOf(run: RunState, id: string): string {
  return definitionOf(run, id).branch ?? `czar/${run.id}/${id}`;
}

const ending = ['starting', 'active', 'merging'] as const;
const goingOn = ['ready', ...ending, 'verifying'] as const;

type Wake = (at: number) => void;

function* ofRun(
  state: RepositoryState,
  run: RunState,
  options: ScheduleOptions,
  wake: Wake,
): Generator<Intent> {
  yield* landingIntents(run);
  yield* reviewIntents({ state, run }, options, wake);
  yield* publishing(run, options.retryDiverged?.has(run.id) === true);
  yield* tendingIntents(run, (id) => branchOf(run, id));
  const refs = unpushed(run, options.pushAgain?.get(run.id));
  if (Object.keys(refs).length > 0) yield { kind: 'push', key: pushKey(run), run: run.id, refs };
  if (!isRunLive(run)) return;
  const paused = run.state === 'paused';
  if (run.tip === null) {
    if (paused) return;
    yield {
      kind: 'prepare-run',
      key: `${run.id}/prepare-run:`,
      run: run.id,
      base: run.base.commit,
    };
    return;
  }
  for (const due of [nextFallback(run), nextUnanswered(run)])
    if (due !== null && due > options.now) wake(due);
  // Of a paused run only what is being stopped, and a merge that is through.
  for (const worker of workersIn(run, ...(paused ? ending : goingOn))) {
    const intent = ofWorker({ state, run, tip: run.tip }, worker, options, wake);
    if (intent !== null) yield intent;
    yield* answers(run, worker);
  }
}

function ofWorker(
  {
    state,
    run,
    tip,
  }: { readonly state: RepositoryState; readonly run: RunState; readonly tip: string },
  worker: WorkerState,
  options: ScheduleOptions,
  wake: Wake,
): Intent | null {
  const place = { run: run.id, worker: worker.id };
  switch (worker.state) {
    case 'ready': {
      // What it waits for may be the budget of another day.
      if (waitsForDay({ state, run, now: options.now }, worker)) wake(nextDay(options.now));
      const lack = resourceLack(state, run, worker, options.now)?.lack;
      if (lack?.kind === 'space') wake(options.now + lookAgainMs);
      if (lack?.kind === 'rate') wake(lack.until);
      if (worker.notBefore !== null && worker.notBefore > options.now) wake(worker.notBefore);
      const { name, until } = nextAgent(state, run, worker.id, options.now);
      if (until !== null) wake(until);
      const apart = staggerEnd(state, run, name);
      if (apart !== null && apart > options.now) wake(apart);
      const paths = inputsOf(run, worker.id);
      if (worker.inputsChecked || paths.length === 0) return null;
      return {
        kind: 'check-inputs',
        key: key(run, 'check-inputs', worker),
        ...place,
        commit: tip,
        paths,
      };
    }
    case 'starting':
      // What has no program yet waits for the next loop; a launch that may be under way is carried through.
      if (options.stopping && worker.attempt?.phase !== 'launch') return null;
      return starting(run, tip, worker);
    case 'active':
      return active(run, tip, worker, options, wake);
    case 'verifying':
      return verifying(run, tip, worker);
    case 'merging':
      return mergeIntent(run, worker);
    case 'pending':
    case 'reviewing':
    case 'complete':
    case 'blocked':
    case 'paused':
    case 'failed':
    case 'skipped':
    case 'cancelled':
      return null;
  }
}

function starting(run: RunState, tip: string, worker: WorkerState): Intent | null {
  const { attempt } = worker;
  if (attempt === null) return null;
  const place = { run: run.id, worker: worker.id, attempt: attempt.n };
  switch (attempt.phase) {
    case 'tree':
      return {
        kind: 'prepare-tree',
        key: key(run, 'prepare-tree', worker),
        ...place,
        branch: definitionOf(run, worker.id).workspace === 'empty' ? '' : branchOf(run, worker.id),
        commit: tip,
        continues: attempt.continues,
      };
    case 'setup':
      if (setupOf(run, worker.id).length > 0 && !attempt.setupGranted) return null;
      return { kind: 'setup', key: key(run, 'setup', worker), ...place };
    case 'launch':
      // What could not be launched may run all the same: it is ended before anything else is tried (S1).
      return launchGivenUp(run, worker) === null
        ? { kind: 'launch', key: key(run, 'launch', worker), ...place }
        : { kind: 'stop', key: key(run, 'stop', worker), ...place, why: 'interrupted' };
    case 'running':
    case 'ended':
    case 'collected':
      return null;
  }
}

function active(
  run: RunState,
  tip: string,
  worker: WorkerState,
  options: ScheduleOptions,
  wake: Wake,
): Intent | null {
  const { attempt } = worker;
  if (attempt === null) return null;
  const place = { run: run.id, worker: worker.id, attempt: attempt.n };
  if (attempt.phase === 'ended') return collect(run, tip, worker);
  if (attempt.phase === 'collected')
    return { kind: 'teardown', key: key(run, 'teardown', worker), ...place };
  if (attempt.phase !== 'running') return null;
  const { timeoutMs } = definitionOf(run, worker.id);
  const limit = timeoutMs === null ? null : worker.since + timeoutMs;
  if (limit !== null && limit > options.now) wake(limit);
  const late = limit !== null && limit <= options.now;
  if (worker.stop === null && !options.stopping && !late)
    return { kind: 'watch', key: key(run, 'watch', worker), ...place };
  const why = worker.stop !== null ? 'requested' : late ? 'timeout' : 'interrupted';
  return { kind: 'stop', key: key(run, 'stop', worker), ...place, why };
}

function* answers(run: RunState, worker: WorkerState): Generator<Intent> {
  for (const { id, answer } of undelivered(worker)) {
    if (answer === null) continue;
    const { decision, text } = answer;
    yield {
      kind: 'answer',
      key: answerKey(run, worker, id),
      run: run.id,
      worker: worker.id,
      attempt: worker.attempt?.n ?? 0,
      id,
      decision,
      text,
    };
  }
}

function collect(run: RunState, tip: string, worker: WorkerState): Intent {
  return {
    kind: 'collect',
    key: key(run, 'collect', worker),
    run: run.id,
    worker: worker.id,
    attempt: worker.attempt?.n ?? 0,
    commit: collectMode(worker),
    integration: tip,
  };
}

function verifying(run: RunState, tip: string, worker: WorkerState): Intent | null {
  if (worker.attempt?.phase !== 'collected') return collect(run, tip, worker);
  if (changeVerdicts(run, worker).length === 0) {
    return {
      kind: 'judge',
      key: `${key(run, 'judge', worker)}:${tipOf(worker)}`,
      run: run.id,
      worker: worker.id,
      integration: tip,
    };
  }
  if (!worker.checking) return null;
  const tree = treeOf(worker);
  const gates = firstGroup(openGates(run, branchGates(run, worker.id), tree));
  if (gates.length === 0) return null;
  return {
    kind: 'check',
    key: `${key(run, 'check', worker)}:${tree}`,
    run: run.id,
    subject: 'branch',
    worker: worker.id,
    commit: tipOf(worker),
    tree,
    gates,
  };
}

function mergeIntent(run: RunState, worker: WorkerState): Intent | null {
  const { merge } = worker;
  if (merge === null) return null;
  const place = { run: run.id, worker: worker.id };
  const { base, tip, date, built } = merge;
  if (built === null) {
    return {
      kind: 'build-merge',
      key: `${key(run, 'build-merge', worker)}:${base}:${tip}`,
      ...place,
      base,
      tip,
      date,
    };
  }
  const entering = passedFirst(run);
  if (entering.some((one) => one.worker.id === worker.id))
    return entering.at(-1)?.worker.id === worker.id ? commitMerge(run, entering) : null;
  if (!merge.checking) return null;
  const gates = mergeChain(run).find((one) => one.worker.id === worker.id)?.gates ?? [];
  const open = firstGroup(openGates(run, gates, built.tree));
  if (open.length === 0) return null;
  return {
    kind: 'check',
    key: `${key(run, 'check', worker)}:${built.tree}`,
    ...place,
    subject: 'merge',
    ...built,
    gates: open,
  };
}

/** The last of those that enter together was tested: integration moves to its merge, and so past the others. */
function commitMerge(run: RunState, entering: readonly Candidate[]): Intent | null {
  const members = entering.flatMap(({ worker }) => {
    const { merge } = worker;
    if (merge?.built == null) return [];
    const { base, tip, built } = merge;
    return { worker: worker.id, base, tip, ...built, change: changeVerdicts(run, worker) };
  });
  const last = members.at(-1);
  const tested = entering.at(-1);
  if (last === undefined || tested === undefined) return null;
  const { change, ...merge } = last;
  return {
    kind: 'commit-merge',
    key: commitKey(run),
    run: run.id,
    ...merge,
    base: members[0]?.base ?? merge.base,
    admission: { change, trees: judgements(run, tested.gates, merge.tree) },
    ahead: members.slice(0, -1),
  };
}

function* landingIntents(run: RunState): Generator<Intent> {
  const { landing } = run;
  if (landing === null) return;
  const { target, tip, mode, date, built } = landing;
  const sync = landing.sync === true ? ({ sync: true } as const) : {};
  // A merge that is under way comes first: what enters integration is built on what it stands at then.
  if (landing.sync === true && merging(run) !== null) return;
  const onto = landing.sync === true ? (run.tip ?? landing.onto) : landing.onto;
  if (built === null) {
    yield {
      kind: 'build-landing',
      key: `${run.id}/build-landing:`,
      run: run.id,
      target,
      onto,
      tip,
      mode,
      date,
      ...sync,
    };
    return;
  }
  const gates = landGates(run);
  const open = openGates(run, gates, built.tree);
  const verdicts = judgements(run, gates, built.tree);
  if (open.length === 0) {
    if (verdicts.some((verdict) => verdict.result !== 'pass')) return;
    const admission = { change: [], trees: verdicts };
    yield {
      kind: 'commit-landing',
      key: `${run.id}/commit-landing:`,
      run: run.id,
      target,
      onto,
      ...built,
      admission,
      ...sync,
    };
    return;
  }
  if (!landing.checking) return;
  const group = firstGroup(open);
  yield {
    kind: 'check',
    key: `${run.id}/check::${built.tree}`,
    run: run.id,
    subject: 'land',
    worker: null,
    ...built,
    gates: group,
  };
}

/** Refs of the user's repository that are behind what the log says. */
function* publishing(run: RunState, retryDiverged: boolean): Generator<Intent> {
  if (publishable(run, retryDiverged).length === 0) return;
  yield { kind: 'publish', key: publishKey(run), run: run.id, refs: unpublished(run) };
}
