/**
 * How people bring a run home: the target that has moved enters it, what is merged becomes a pull request, what is said
 * of that goes back, and the limits of the run change meanwhile. Sense and nonsense, often twice.
 */
import type { Request } from '../src/core/commands.ts';
import type { Event } from '../src/core/events.ts';
import { evolve } from '../src/core/evolve.ts';
import type { OwnedRemark } from '../src/core/home-requests.ts';
import { limitsOf, type RunLimits } from '../src/core/limits.ts';
import type { Plan } from '../src/core/plan.ts';
import { followUpsOf } from '../src/core/pull.ts';
import type { RunState } from '../src/core/state.ts';
import { joined, withFollowUps } from '../src/daemon/follow-ups.ts';
import type { Journal } from '../src/journal/journal.ts';
import type { Random } from './random.ts';
import type { World } from './world.ts';

/** Any of it, of a run that may not be so far. */
export function homeRequest(world: World, random: Random, run: RunState): Request {
  switch (random.below(7)) {
    case 0:
    case 1:
      return sync(world, run.id);
    case 2:
      return setLimits(random, run);
    case 3:
      return requestPull(run.id, random.chance(0.7));
    case 4:
      return recordPull(run, 'open');
    case 5:
      return sendBack(world, random, run);
    default:
      return recordPull(run, random.pick(['merged', 'closed', 'open'] as const));
  }
}

/** A pull request from the first to the last: asked for and opened, what is said of it, again, and its end. */
export function* offer(world: World, random: Random): Generator<(run: RunState) => Request> {
  for (let round = random.below(3); round >= 0; round -= 1) {
    yield ({ id }) => requestPull(id, true);
    yield (run) => recordPull(run, 'open');
    yield (run) => sendBack(world, random, run);
  }
  yield (run) => recordPull(run, random.pick(['merged', 'closed'] as const));
}

/** The event of an uninstall that was begun while no loop lived, appended; its process died then. */
export function beginUninstall(journal: Journal, now: number): Event {
  const state = journal.load();
  const [last] = [...journal.read({ newestFirst: true, limit: 1 })];
  const placed = { seq: state.seq + 1, at: Math.max(now, last?.at ?? 0) };
  const event: Event = {
    type: 'uninstall.started',
    data: { by: 'user', bundle: null },
    ...placed,
  };
  evolve(state, event);
  journal.append([event], state);
  return event;
}

/** The target, where it stands now, is to enter the run. */
export function sync(world: World, run: string): Request {
  return { kind: 'sync', run, target: 'main', onto: world.git.user.get('refs/heads/main') ?? '' };
}

function requestPull(run: string, partial: boolean): Request {
  return { kind: 'request-pull', run, target: 'main', partial };
}

/** What the forge shows of it: what was asked for, unless it knows of nothing. */
function recordPull({ id, pull }: RunState, state: 'open' | 'merged' | 'closed'): Request {
  const number = pull?.number ?? 1;
  const tip = (state === 'open' ? pull?.tip : pull?.shown) ?? '';
  return { kind: 'record-pull', run: id, number, url: `pull ${number}`, tip, program: 'gh', state };
}

/** All that was ever said of it, and at times something more; the loop knows what of it is new. */
function sendBack(world: World, random: Random, run: RunState): Request {
  const said = world.said.get(run.id) ?? [];
  world.said.set(run.id, said);
  for (let more = random.below(3); more > 0 && run.mergedOrder.length > 0; more -= 1) {
    const owner = random.pick(run.mergedOrder);
    const kind = random.pick(['check', 'comment'] as const);
    said.push({ ...remark, id: `said ${said.length + 1}`, kind, owner });
  }
  const remarks: readonly OwnedRemark[] = [...said];
  const number = run.pull?.number ?? 1;
  const tip = random.chance(0.9) ? (run.pull?.shown ?? '') : run.base.commit;
  const made = withFollowUps(run, { number, remarks });
  return { kind: 'send-back', run: run.id, number, tip, remarks, ...made };
}

const remark = { by: 'ada', file: null, line: null, text: 'why so?' } as const;

/** An amendment leaves alone what stands in no file. */
export function beside(request: Request, run: RunState | undefined): Request {
  if (request.kind !== 'amend' || run === undefined) return request;
  return { ...request, plan: joined(request.plan, followUpsOf(run)) };
}

function setLimits(random: Random, { id, plan }: RunState): Request {
  const limits: RunLimits = {
    ...limitsOf(plan.policies),
    maxParallel: 1 + random.below(6),
    maxParallelChecks: 1 + random.below(4),
    agingMs: random.pick([10_000, 600_000]),
  };
  const { mergeQueue: _, ...others } = limits;
  const mode = random.pick(['batch', 'speculative', null] as const);
  const queue = mode === null ? {} : { mergeQueue: mode };
  return { kind: 'set-limits', run: id, limits: { ...others, ...queue }, sources: null };
}

/** Whether the plan's merged branches are pushed. */
export function pushOf(random: Random): Partial<Plan['policies']> {
  return random.chance(0.3) ? { push: true } : {};
}
