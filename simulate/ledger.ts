/**
 * The checker's own reading of the log: what each worker's events say, folded without the core. Small on purpose; what
 * the core derives is checked against it.
 */
/* oxlint-disable typescript/switch-exhaustiveness-check -- most events concern no check */
import { BudgetBook } from './budget-book.ts';
import type { Event, EventOf } from '../src/core/events.ts';
import type { WorkerStateName } from '../src/core/lifecycle.ts';
import {
  edgeHolds,
  isLive,
  isOver,
  openBook,
  treeKey,
  type RunBook,
  type WorkerBook,
} from './books.ts';
import { ofHome } from './home-book.ts';
import { ResourceBook } from './resource-book.ts';

export class Ledger {
  readonly runs = new Map<string, RunBook>();
  readonly budgets = new BudgetBook();
  readonly resources = new ResourceBook();
  /** Refs that a prune said it deletes, `mirror REF COMMIT`, with the epoch of the loop that said so. */
  readonly pruned = new Map<string, number>();
  seq = 0;
  epoch = 0;

  run(id: string | undefined): RunBook | undefined {
    return id === undefined ? undefined : this.runs.get(id);
  }

  /** Commits that a prune said it lets go. */
  prunedCommits(): readonly string[] {
    return [...this.pruned.keys()].map((key) => key.slice(key.lastIndexOf(' ') + 1));
  }

  worker(event: Event): WorkerBook | undefined {
    return event.worker === undefined ? undefined : this.run(event.run)?.workers.get(event.worker);
  }

  /** Live attempts over all runs. */
  live(): number {
    let count = 0;
    for (const run of this.runs.values())
      for (const worker of run.workers.values()) {
        if (isLive(worker)) count += 1;
        if (worker.reviewing !== null) count += 1;
      }
    return count;
  }

  apply(event: Event): void {
    this.seq = event.seq;
    this.budgets.apply(event);
    if (event.type === 'loop.started') this.epoch = event.data.epoch;
    if (event.type === 'run.started' && event.run !== undefined)
      this.runs.set(event.run, openBook(event.run, event.data.plan, event.data.approve === true));
    if (event.type === 'plan.amended') this.#amend(event);
    if (event.type === 'prune.started')
      for (const one of event.data.refs) this.pruned.set(prunedKey(one), this.epoch);
    const run = this.run(event.run);
    const { definition } = run?.workers.get(event.worker ?? '') ?? {};
    this.resources.apply(event, definition, run?.plan.policies.resources);
    if (run === undefined) return;
    ofRun(run, event);
    const worker = event.worker === undefined ? undefined : run.workers.get(event.worker);
    if (worker !== undefined) ofWorker(run, worker, event);
  }

  /** The book of the other plan, with the workers that were there as they stood. */
  #amend(event: EventOf<'plan.amended'>): void {
    const before = this.run(event.run);
    if (before === undefined) return;
    const after = openBook(before.id, event.data.plan, before.approve);
    const workers = new Map(before.workers);
    const held = new Map<string, ReadonlySet<string>>();
    for (const [id, worker] of after.workers) {
      const known = workers.get(id);
      if (known === undefined) workers.set(id, worker);
      else {
        held.set(id, new Set([...known.satisfied].map((at) => edgeOf(known, at))));
        known.definition = worker.definition;
      }
    }
    const { plan, waves } = after;
    const batches = before.batches || after.batches;
    const run = { ...before, plan, waves, workers, batches };
    this.runs.set(run.id, run);
    for (const id of [...event.data.changed, ...event.data.added]) {
      const worker = workers.get(id);
      if (worker === undefined) continue;
      worker.satisfied.clear();
      worker.definition.edges.forEach((edge, index) => {
        // An edge is satisfied once: one that stays as it was is not asked again.
        const before = held.get(id)?.has(edgeOf(worker, index)) === true;
        if (before || edgeHolds(run, edge)) worker.satisfied.add(index);
      });
    }
  }
}

/** Name of a ref that a prune deletes. */
export function prunedKey(one: {
  readonly in: string;
  readonly ref: string;
  readonly commit: string;
}): string {
  return `${one.in} ${one.ref} ${one.commit}`;
}

function edgeOf({ definition }: WorkerBook, at: number): string {
  const edge = definition.edges[at];
  return `${edge?.on} ${edge?.requires}`;
}

function ofRun(run: RunBook, event: Event): void {
  switch (event.type) {
    case 'run.prepared':
      run.tip = event.data.commit;
      break;
    case 'run.running':
      run.state = 'running';
      run.cancelling = false;
      break;
    case 'run.waiting':
    case 'run.paused':
    case 'run.complete':
    case 'run.failed':
    case 'run.cancelled':
      run.state = event.type.slice(4);
      break;
    case 'agents.missing':
      run.missing = event.data.agents;
      break;
    case 'run.approval_set':
      run.approve = event.data.approve;
      break;
    case 'run.cancel_requested':
      run.cancelling = true;
      break;
    case 'worker.merged':
      run.tip = event.data.commit;
      run.merged.push(event.worker ?? '');
      break;
    case 'land.started':
      run.landing = { ...event.data, members: run.merged.length, commit: null, tree: null };
      break;
    case 'land.built':
      if (run.landing !== null) Object.assign(run.landing, event.data);
      break;
    case 'land.refused':
      run.landing = null;
      break;
    case 'run.landed':
      run.landing = null;
      ofHome(run, event);
      break;
    case 'gate.passed':
    case 'gate.failed':
    case 'gate.inconclusive':
      if ('tree' in event.data.verdict)
        run.trees.set(treeKey(event.data.verdict.tree, event.data.verdict), event.type);
      break;
    default:
      ofHome(run, event);
  }
}

/** Details of single events; entering a state is `enter`. */
function ofWorker(run: RunBook, worker: WorkerBook, event: Event): void {
  switch (event.type) {
    case 'attempt.prepared':
      worker.phase = 'setup';
      break;
    case 'attempt.setup_passed':
      worker.phase = 'launch';
      break;
    case 'attempt.ended':
      worker.phase = 'ended';
      break;
    case 'work.collected':
      worker.phase = 'collected';
      worker.work = event.data.work;
      worker.kept.push(...(event.data.work?.kept ?? []));
      break;
    case 'work.kept':
      worker.kept.push(event.data.kept);
      break;
    case 'kept.dropped': {
      const { ref, to, commit } = event.data;
      worker.kept.splice(0, Infinity, ...worker.kept.filter((one) => one.ref !== ref));
      worker.dropped.push({ ref: to, commit });
      break;
    }
    case 'tree.requested':
      run.tending.set(worker.id, event.data.want);
      break;
    case 'tree.made':
    case 'tree.removed':
      run.tending.delete(worker.id);
      break;
    case 'inputs.checked':
      worker.inputsChecked = true;
      break;
    case 'worker.stop_requested':
      worker.stopAsked = true;
      break;
    case 'worker.handoff':
      worker.handoff = true;
      break;
    case 'worker.usage':
      if (event.data.source === 'reported') worker.counted += event.data.input;
      break;
    case 'permission.requested':
      ask(worker, event.data.id, event.at, event.data.afterMs);
      break;
    case 'worker.asked':
      if (event.data.wait !== undefined)
        ask(worker, event.data.wait.id, event.at, event.data.wait.ms);
      break;
    case 'permission.answered':
      answered(worker, event.data.id, event.data.decision);
      break;
    case 'worker.answered':
      answered(worker, event.data.id, event.data.text === null ? 'deny' : 'allow');
      break;
    case 'answer.delivered': {
      const asked = worker.asks.get(event.data.id);
      if (asked !== undefined) asked.delivered = true;
      break;
    }
    case 'permission.denied':
    case 'attempt.session':
      break;
    case 'review.started':
      worker.reviewing = event.data.n;
      break;
    case 'review.inconclusive':
      worker.reviewing = null;
      break;
    case 'review.approved':
    case 'review.changes_requested': {
      const { by, tip, definition, n } = event.data;
      if (n !== null) worker.reviewing = null;
      worker.reviews.push({ by, tip, definition, approves: event.type === 'review.approved' });
      break;
    }
    case 'worker.report_refused':
      worker.refused += 1;
      break;
    case 'worker.error':
      worker.failures += 1;
      break;
    case 'gate.passed':
    case 'gate.failed':
    case 'gate.inconclusive':
      if ('tip' in event.data.verdict) worker.change.push(event.data.verdict);
      break;
    case 'approval.requested':
    case 'approval.granted':
    case 'approval.denied': {
      const name = event.type.slice('approval.'.length);
      const said = name === 'requested' || name === 'granted' ? name : 'denied';
      worker.approval = { ...event.data, said, at: event.at };
      if (said === 'requested') worker.claims = false;
      break;
    }
    case 'protect.approved':
      worker.approvals.push(event.data);
      break;
    case 'merge.started':
      worker.merge = { base: event.data.base, tip: event.data.tip, commit: null, tree: null };
      break;
    case 'merge.built':
      if (worker.merge !== null) Object.assign(worker.merge, event.data);
      break;
    case 'merge.abandoned':
      worker.merge = null;
      break;
    case 'merge.conflict':
      worker.conflicted = worker.merge?.tip ?? worker.conflicted;
      break;
    case 'merge.resolved':
      worker.removes = event.data.removed.length > 0;
      break;
    case 'worker.merged':
      worker.merged = event.data;
      break;
    case 'dependency.superseded':
      if (event.data.dependent === worker.id) worker.superseded.add(event.data.dependency);
      break;
    default:
      if ('from' in event.data) enter(run, worker, event);
  }
}

function ask({ asks }: WorkerBook, id: string, at: number, afterMs: number): void {
  asks.set(id, { at, afterMs, answer: null, delivered: false });
}

function answered({ asks }: WorkerBook, id: string, answer: 'allow' | 'deny'): void {
  const asked = asks.get(id);
  if (asked !== undefined) asked.answer = answer;
}

function enter(run: RunBook, worker: WorkerBook, event: Event): void {
  if (!('from' in event.data) || event.data.from === null) return;
  const name = event.type === 'worker.started' ? 'starting' : event.type.slice('worker.'.length);
  worker.state = name as WorkerStateName;
  worker.since = event.at;
  worker.merge = null;
  if (event.type === 'worker.blocked') {
    worker.block = event.data.block;
    worker.blockedBy = event.data.blockedBy;
  } else {
    worker.block = null;
    worker.blockedBy = null;
  }
  if (worker.state === 'blocked' || worker.state === 'paused' || isOver(worker))
    worker.claims = false;
  switch (event.type) {
    case 'worker.pending':
      worker.claims = false;
      if (event.data.by === 'user' && event.data.from !== 'paused') {
        worker.approval = null;
        worker.failures = 0;
        worker.reworks = 0;
        worker.lost = 0;
        forgetAway(run, worker);
      }
      break;
    case 'worker.ready':
      worker.notBefore = event.data.notBefore ?? 0;
      if (event.data.counts === 'rework') worker.reworks += 1;
      if (event.data.from === 'paused') forgetAway(run, worker);
      if (event.data.away !== undefined)
        run.away.set(event.data.away.agent, { until: event.data.away.until, worker: worker.id });
      if (event.data.counts === 'quota') worker.claims = false;
      if (event.data.counts !== 'interrupted' && event.data.counts !== 'lost')
        worker.turnedAway = event.data.counts === 'quota';
      worker.inputsChecked = false;
      if (event.data.counts === 'lost') worker.lost += 1;
      else if (event.data.counts !== 'interrupted' && event.data.counts !== 'quota')
        worker.lost = 0;
      break;
    case 'worker.started':
      // An attempt that starts sees to its tree itself.
      run.tending.delete(worker.id);
      worker.attempt = event.data.attempt;
      worker.agent = event.data.agent?.name ?? worker.definition.agent.name;
      worker.phase = event.data.direct === true ? 'launch' : 'tree';
      worker.claims =
        run.plan.policies.ownership === 'serialize' && worker.definition.owns !== null;
      worker.continues = event.data.continues;
      worker.submitted = false;
      worker.work = null;
      worker.change = [];
      worker.reviews = worker.reviews.filter(({ approves }) => approves);
      worker.counted = 0;
      worker.refused = 0;
      worker.stopAsked = false;
      worker.asks.clear();
      break;
    case 'worker.reviewing':
      if (event.data.person === true) worker.claims = false;
      break;
    case 'worker.active':
      worker.phase = 'running';
      break;
    case 'worker.verifying':
      worker.change = [];
      worker.lost = 0;
      if (event.data.submitted) {
        worker.submitted = true;
        worker.phase = 'ended';
        worker.work = null;
      }
      break;
    case 'worker.complete':
      worker.noChange = event.data.noChange;
      break;
    case 'worker.skipped':
      worker.satisfies = event.data.satisfies;
      break;
    default:
  }
  for (const other of run.workers.values()) {
    other.definition.edges.forEach((edge, index) => {
      if (edge.on === worker.id && edgeHolds(run, edge)) other.satisfied.add(index);
    });
  }
}

/** A person takes it up again: they think that there is quota again. */
function forgetAway(run: RunBook, { id }: WorkerBook): void {
  for (const [agent, { worker }] of run.away) if (worker === id) run.away.delete(agent);
}
