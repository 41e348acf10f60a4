/** What every event must be true to, given the log before it and the world: checked before it is entered in the book. */
/* oxlint-disable typescript/switch-exhaustiveness-check -- most events concern no check */
import type { Event, EventOf } from '../src/core/events.ts';
import { folderOf } from './attempts.ts';
import { checkCollected, checkEnd, checkStall, checkTree } from './checks-attempt.ts';
import { checkOpened, checkSentBack, requireSync } from './checks-home.ts';
import { mayChange } from './effects-gates.ts';
import {
  edgeHolds,
  isLive,
  isOver,
  mustAsk,
  saidOf,
  treeKey,
  type RunBook,
  type WorkerBook,
} from './books.ts';
import { agentFor, claimHolder, foreignHolder, heldByBarrier } from './obstacles.ts';
import { spaceFor } from './resource-book.ts';
import { requireGates, requireMerge, requireLanding } from './checks-merge.ts';
import type { Ground } from './ground.ts';

/** The lifecycle, written out once more: where each state may come from. */
const into: Readonly<Record<string, string>> = {
  pending: 'ready blocked paused failed cancelled',
  ready: 'pending starting active verifying reviewing merging blocked paused',
  starting: 'ready',
  active: 'starting',
  verifying: 'starting active blocked paused failed',
  reviewing: 'verifying blocked paused',
  merging: 'verifying reviewing blocked paused',
  complete: 'verifying reviewing merging',
  blocked: 'pending ready starting active verifying reviewing merging paused',
  paused: 'pending ready starting active verifying reviewing merging blocked',
  failed: 'starting active ready blocked reviewing',
  skipped: 'pending ready failed blocked cancelled',
  cancelled: 'pending ready starting active verifying reviewing merging blocked paused',
};

/** Events that let something begin. */
const starting: ReadonlySet<Event['type']> = new Set([
  'worker.started',
  'attempt.setup_started',
  'gate.started',
  'merge.started',
]);

/** Checks one event of a loop. */
export function checkEvent(ground: Ground, event: Event): void {
  const { ledger, require } = ground;
  require('S10', event.seq === ledger.seq + 1, () => `event ${event.seq} after ${ledger.seq}`);
  const run = ledger.run(event.run);
  if (event.type === 'run.started' || event.type === 'plan.amended') requireAcyclic(ground, event);
  if (run === undefined) return;
  const worker = ledger.worker(event);
  if (worker !== undefined) checkWorkerEvent(ground, run, worker, event);
  if (starting.has(event.type) && worker !== undefined)
    require('P9', run.state !== 'paused', () => `${event.type} of ${worker.id} in a paused run`);
  switch (event.type) {
    case 'gate.passed':
    case 'gate.failed':
    case 'gate.inconclusive':
      checkVerdict(ground, event, worker);
      break;
    case 'run.complete':
      require('L2', run.plan.workers
        .map(({ id }) => run.workers.get(id))
        .every((one) => one?.state === 'complete' || one?.state === 'skipped'), () =>
        'a run is complete with workers that are not');
      break;
    case 'run.failed':
    case 'run.cancelled':
      require('L2', run.tip === null || [...run.workers.values()].every(isOver), () =>
        `${event.type} with work under way`);
      break;
    case 'run.landed':
      requireLanding(ground, run, event);
      break;
    case 'run.synced':
      requireSync(ground, run, event);
      break;
    case 'pull.opened':
      checkOpened(ground, run, event.data);
      break;
    case 'pull.sent_back':
      checkSentBack(ground, run, event.data);
      break;
    default:
  }
}

function checkWorkerEvent(ground: Ground, run: RunBook, worker: WorkerBook, event: Event): void {
  const { require } = ground;
  if (event.attempt !== undefined && event.type !== 'worker.started')
    require('S2', event.attempt === worker.attempt, () =>
      `${event.type} of attempt ${event.attempt} of ${worker.id}, which is at ${worker.attempt}`);
  if ('from' in event.data && event.data.from !== null) {
    const to = event.type === 'worker.started' ? 'starting' : event.type.slice(7);
    const { from } = event.data;
    require('S17', from === worker.state && (into[to] ?? '').split(' ').includes(from), () =>
      `${worker.id} goes ${from} → ${to} and is ${worker.state}`);
    ground.world.coverage.hit('transition', `${from} → ${to}`);
  }
  checkPolicy(ground, worker, event);
  switch (event.type) {
    case 'worker.started':
      checkStart(ground, run, worker, event);
      break;
    case 'worker.ready':
      if (event.data.from === 'pending') {
        const open = worker.definition.edges.filter((edge) => !edgeHolds(run, edge));
        require('S3', open.length === 0, () =>
          `${worker.id} is ready and ${open[0]?.on} is not there`);
      }
      require('P4', worker.lost < 3 || event.data.counts !== 'lost', () =>
        `${worker.id} is started again after ${worker.lost} lost attempts`);
      require('P4', event.data.counts !== 'failed' ||
        worker.failures < worker.definition.retry.maxAttempts, () =>
        `${worker.id} is started again after ${worker.failures} failed attempts`);
      if (event.data.counts === 'rework') checkRework(ground, run, worker, event.data);
      break;
    case 'attempt.prepared':
      checkTree(ground, run, worker, event);
      break;
    case 'worker.active': {
      const folder = folderOf(ground.world, {
        run: run.id,
        worker: worker.id,
        attempt: worker.attempt,
      });
      require('S14', folder.spawned > 0 && folder.process?.pid === event.data.process.pid, () =>
        `${worker.id} is active and its process was never started`);
      break;
    }
    case 'worker.stop_requested':
      if (event.data.by === 'policy' && event.data.reason.startsWith('stalled'))
        checkStall(ground, run, worker);
      break;
    case 'attempt.ended':
      checkEnd(ground, run, worker, event);
      break;
    case 'work.collected':
      checkCollected(ground, run, worker);
      break;
    case 'merge.started':
      checkMergeStart(ground, run, worker, event);
      break;
    case 'worker.merged':
      requireMerge(ground, run, worker, event);
      break;
    case 'worker.complete':
      checkComplete(ground, run, worker, event);
      break;
    case 'worker.blocked': {
      const { block, blockedBy } = event.data;
      ground.world.coverage.hit('block', `${block.kind} in ${block.step}`);
      require('S17', block.text !== '', () => `${worker.id} is blocked without a cause`);
      const root = blockedBy === null ? null : run.workers.get(blockedBy)?.state;
      require('S17', root === null || root === 'failed' || root === 'cancelled', () =>
        `${worker.id} is blocked by ${blockedBy}, which is ${root}`);
      break;
    }
    case 'permission.answered':
    case 'worker.answered':
      checkAnswer(ground, worker, event);
      break;
    default:
  }
}

function checkRework(
  { require, world }: Ground,
  run: RunBook,
  worker: WorkerBook,
  { from, rework, tree }: EventOf<'worker.ready'>['data'],
): void {
  const most = run.plan.policies.maxRework ?? 3;
  require('P14', worker.reworks <= most, () =>
    `${worker.id} is sent back ${worker.reworks} times of ${most}`);
  const { kind, text = '' } = rework ?? {};
  const isMendable =
    kind === 'review' || kind === 'gate' || kind === 'conflict' || kind === 'nothing_changed';
  require('P14', isMendable && text !== '' && tree === 'continue', () =>
    `${worker.id} is sent back from ${from} with ${kind ?? 'nothing'}`);
  world.coverage.hit('block', `${kind} sends back from ${from}`);
}

/** What an attempt asked is answered once, and by the policy not before its time. */
function checkAnswer(
  { require }: Ground,
  worker: WorkerBook,
  event: Extract<Event, { type: 'permission.answered' | 'worker.answered' }>,
): void {
  const { id, by } = event.data;
  const asked = worker.asks.get(id);
  require('P16', asked?.answer === null, () =>
    `${id} of ${worker.id} is answered and was ${asked === undefined ? 'never asked' : asked.answer}`);
  const due = by !== 'policy' || (asked !== undefined && event.at >= asked.at + asked.afterMs);
  require('P16', due, () => `${id} of ${worker.id} is answered by the policy too early`);
}

/** What is done by a default is what the plan says, once its time is over. */
function checkPolicy({ require }: Ground, worker: WorkerBook, event: Event): void {
  if (!('by' in event.data) || event.data.by !== 'policy') return;
  const done = defaults[event.type];
  const waited = worker.state === 'ready' ? worker.approval?.at : worker.since;
  // A worker is also skipped by its condition, before it is ready.
  if (done === undefined || waited === undefined || worker.state === 'pending') return;
  const { unanswered } = worker.definition;
  const due = unanswered?.instead === done && event.at >= waited + unanswered.afterMs;
  require('P11', due, () => `${event.type} of ${worker.id} after ${event.at - waited}`);
}

const defaults: Partial<Record<Event['type'], 'deny' | 'skip' | 'fail'>> = {
  'worker.skipped': 'skip',
  'worker.failed': 'fail',
  'approval.denied': 'deny',
  'worker.noted': 'deny',
};

function checkStart(
  ground: Ground,
  run: RunBook,
  worker: WorkerBook,
  event: Extract<Event, { type: 'worker.started' }>,
): void {
  const { require, ledger, world } = ground;
  require('S1', !isLive(worker) && event.data.attempt === worker.attempt + 1, () =>
    `attempt ${event.data.attempt} of ${worker.id} begins and attempt ${worker.attempt} is ${worker.state}`);
  worker.definition.edges.forEach((edge, index) => {
    require('S3', worker.satisfied.has(index), () => `${worker.id} starts before ${edge.on}`);
  });
  require('P1', ledger.live() < run.plan.policies.maxParallel, () =>
    `${worker.id} starts beside ${ledger.live()} others`);
  require('P4', worker.notBefore <= event.at, () =>
    `${worker.id} starts before its backoff is over`);
  const agent = agentFor(ledger.runs.values(), run, worker, event.at);
  const started = event.data.agent?.name ?? worker.definition.agent.name;
  require('P4', !agent.away, () =>
    `${worker.id} starts although the provider of its agent has no more`);
  require('P15', agent.away || started === agent.name, () =>
    `${worker.id} starts with ${started} and not with ${agent.name}`);
  require('S3', !heldByBarrier(run, worker), () =>
    `${worker.id} starts before the wave before it is over`);
  require('P10', !mustAsk(run, worker) || saidOf(run, worker) === 'granted', () =>
    `${worker.id} starts and nobody approved it`);
  const poor = ledger.budgets.refusal(ledger.runs.values(), run, worker.id, event.at);
  require('P12', poor === null, () => `${worker.id} starts although ${poor}`);
  const lack = ledger.resources.refusal(ledger.runs.values(), run, worker, event.at);
  require('P13', lack === null, () => `${worker.id} starts although ${lack}`);
  require('P13', world.free >= spaceFor(run, worker), () =>
    `${worker.id} starts while ${world.free} bytes are free`);
  const holder = claimHolder(run, worker) ?? foreignHolder(ledger.runs.values(), run, worker);
  require('P2', holder === null, () => `${worker.id} starts while ${holder?.id} holds the claim`);
}

function checkMergeStart(
  ground: Ground,
  run: RunBook,
  worker: WorkerBook,
  event: Extract<Event, { type: 'merge.started' }>,
): void {
  const { require } = ground;
  const { base, tip } = event.data;
  const others = [...run.workers.values()].filter((one) => one.merge !== null);
  const beside = others.find(
    (one) => one.merge?.base === base || run.plan.policies.mergeQueue === undefined,
  );
  require('A5', beside === undefined, () => `${worker.id} begins to merge beside ${beside?.id}`);
  const stands = base === run.tip || others.some((one) => one.merge?.commit === base);
  require('S5', stands && tip === worker.work?.tip, () => `${worker.id} merges ${tip} on ${base}`);
  const open = [...worker.superseded].find((id) => {
    const state = run.workers.get(id)?.state;
    return state !== 'complete' && state !== 'skipped';
  });
  require('S3', open === undefined, () =>
    `${worker.id} merges before ${open}, which was sent back`);
}

function checkComplete(
  ground: Ground,
  run: RunBook,
  worker: WorkerBook,
  event: Extract<Event, { type: 'worker.complete' }>,
): void {
  const { require } = ground;
  const { definition, work } = worker;
  if (event.data.from === 'merging') {
    require('P5', worker.merged !== null && worker.merged.commit === worker.merge?.commit, () =>
      `${worker.id} is complete and was not merged`);
    return;
  }
  const nothing = work !== null && work.patch === '';
  const empty = definition.workspace === 'empty' && work === null;
  require('P5', nothing || empty, () => `${worker.id} is complete and its work is not merged`);
  require('P5', !nothing ||
    definition.deliverables.length === 0 ||
    definition.verify.length > 0, () =>
    `${worker.id} changed nothing and nothing verified its deliverables`);
  requireGates(
    ground,
    run,
    worker,
    work?.tree ?? `workspace:${worker.id}:${worker.attempt}:${worker.since}`,
  );
}

function checkVerdict(
  ground: Ground,
  event: Extract<Event, { type: 'gate.passed' | 'gate.failed' | 'gate.inconclusive' }>,
  worker: WorkerBook | undefined,
): void {
  const { require, world } = ground;
  const { verdict } = event.data;
  if ('tree' in verdict) {
    const ran = world.ran.get(treeKey(verdict.tree, verdict));
    require('S14', ran?.has(verdict.result) === true, () =>
      `${verdict.command} never gave ${verdict.result} on ${verdict.tree}`);
    return;
  }
  require('S4', worker !== undefined && verdict.tip === (worker.work?.tip ?? ''), () =>
    `a verdict of ${verdict.gate} on ${verdict.tip} and not on ${worker?.work?.tip}`);
  if (verdict.gate === 'ownership' && verdict.result === 'pass' && worker?.work != null) {
    const stray = worker.work.changed.find((one) => !mayChange(worker.definition.owns, one.path));
    require('S4', stray === undefined, () => `${worker.id} changed ${stray?.path}`);
  }
}

function requireAcyclic({ require }: Ground, event: EventOf<'run.started' | 'plan.amended'>): void {
  const edges = new Map(
    event.data.plan.workers.map((one) => [one.id, one.edges.map((edge) => edge.on)]),
  );
  const done = new Set<string>();
  const visit = (id: string, path: readonly string[]): void => {
    require('S16', !path.includes(id), () => [...path, id].join(' → '));
    if (done.has(id)) return;
    for (const on of edges.get(id) ?? []) visit(on, [...path, id]);
    done.add(id);
  };
  for (const id of edges.keys()) visit(id, []);
}
