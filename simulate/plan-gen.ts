/** Random plans from a seed: every kind of edge, claim, gate and limit that the core knows, in small graphs. */
import type { Budget, Limits, Plan, Policies, ResourceRequest } from '../src/core/plan.ts';
import { planOf, type WorkerSketch } from '../test/support/core-world.ts';
import { pushOf } from './homeward.ts';
import { stream, type Random } from './random.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

/** The plan of the seed, with at most so many workers. */
export function generatePlan(seed: number, name: string, most: number): Plan {
  const random = stream(seed, `plan ${name}`);
  const crowds = stream(seed, `crowd ${name}`);
  const crowd = crowds.chance(0.2);
  const fewest = crowd ? crowds.below(7) : 0;
  const drawn = Math.max(fewest, Math.min(random.below(8), random.below(8)));
  const size = 1 + Math.min(drawn, most - 1);
  const sketches = names.slice(0, size).map((id, index) => sketchOf(random, id, index));
  const money = stream(seed, `budgets ${name}`);
  const capped = money.chance(0.15);
  const things = stream(seed, `resources ${name}`);
  const shares = things.chance(0.25);
  const looks = stream(seed, `reviews ${name}`);
  const mends = stream(seed, `rework ${name}`);
  const agents = stream(seed, `agents ${name}`);
  const several = agents.chance(0.25);
  const downs = stream(seed, `teardown ${name}`);
  const queues = stream(seed, `queue ${name}`);
  const silences = stream(seed, `stalls ${name}`);
  const plan = planOf(
    sketches.map((one) => ({
      ...one,
      ...(crowd ? atOnce(crowds, one) : {}),
      ...(several ? agentsOf(agents) : {}),
      ...(downs.chance(0.15) ? { teardown: ['stop'] } : {}),
      ...stallOf(silences),
      budget: budgetOf(money, capped),
      ...(one.workspace === 'empty' ? {} : reviewOf(looks)),
      ...(shares ? requestsOf(things) : {}),
    })),
    {
      ...(shares ? { resources: capacities } : {}),
      ...(capped ? { budget: limitsOf(money) } : {}),
      ...(mends.chance(0.7) ? { maxRework: mends.below(3) } : {}),
      ...(several ? { staggerMs: 0 } : {}),
      maxParallel: 1 + random.below(4),
      maxParallelChecks: 1 + random.below(2),
      ...queueOf(queues),
      barrier: random.chance(0.2) ? 'wave' : 'none',
      ownership: random.chance(0.8) ? 'serialize' : 'warn',
      agingMs: random.pick([10_000, 600_000]),
      checks: random.chance(0.4) ? ['all'] : [],
      setup: random.chance(0.15) ? ['install'] : [],
      protect: random.chance(0.5) ? ['guard.yml'] : [],
      unattendedMs: random.pick([120_000, 900_000]),
      graceMs: random.pick([1_000, 10_000]),
      ...(crowd ? crowdOf(crowds) : {}),
      ...pushOf(stream(seed, `push ${name}`)),
    },
  );
  return several ? { ...plan, agents: { ...plan.agents, ...otherAgents } } : plan;
}

/** How the merge queue tests. */
function queueOf(
  random: Random,
): Pick<Plan['policies'], 'mergeQueue'> & Partial<Pick<Plan['policies'], 'maxParallelChecks'>> {
  if (random.chance(0.4)) return {};
  const maxParallelChecks = 1 + random.below(4);
  return { mergeQueue: random.chance(0.5) ? 'batch' : 'speculative', maxParallelChecks };
}

/** One of many that are done at about the same time, so that they meet in the merge queue. */
function atOnce(random: Random, { id, on }: WorkerSketch): Partial<WorkerSketch> {
  const alone = random.chance(0.9) ? {} : { on: on ?? [] };
  const owns = random.chance(0.7) ? [`${id}/**`] : null;
  const deliverables = owns === null ? {} : { deliverables: [] };
  return {
    workspace: 'branch',
    on: [],
    owns,
    verify: [],
    when: null,
    setup: [],
    ...deliverables,
    ...alone,
  };
}

/** Everybody may work, few may be tested, and all is tested together. */
function crowdOf(random: Random): Partial<Policies> {
  return {
    maxParallel: 8,
    maxParallelChecks: 1 + random.below(4),
    checks: ['all'],
    setup: [],
    ...(random.chance(0.15)
      ? {}
      : { mergeQueue: random.chance(0.5) ? ('batch' as const) : ('speculative' as const) }),
  };
}

/** Agents beside the one that every plan has; one of a provider, and one of any program. */
const otherAgents: Plan['agents'] = {
  rented: { name: 'rented', adapter: 'claude', command: ['rented'], env: [] },
  spare: { name: 'spare', adapter: 'command', command: ['spare'], env: [] },
};

function agentsOf(random: Random): Pick<WorkerSketch, 'agent' | 'fallback'> {
  const all = ['stub', ...Object.keys(otherAgents)];
  const name = random.pick(all);
  const fallback = all.filter((one) => one !== name && random.chance(0.5));
  return { agent: { name, why: 'drawn' }, ...(fallback.length === 0 ? {} : { fallback }) };
}

function sketchOf(random: Random, id: string, index: number): WorkerSketch {
  const empty = random.chance(0.12);
  const before = names.slice(0, index).filter(() => random.chance(1.2 / Math.max(1, index)));
  const deliverables = random.chance(0.25) ? [`${id}.txt`] : [];
  return {
    id,
    workspace: empty ? 'empty' : 'branch',
    on: before.map((on) => edgeOf(random, on, empty)),
    owns: random.chance(0.45)
      ? random.pick([['x/**'], ['y/**'], ['x/**', 'y/**'], [`${id}/**`]])
      : null,
    deliverables,
    verify: random.chance(0.4) ? [random.pick(['v', 'w', `test ${id}`])] : [],
    setup: random.chance(0.1) ? [`setup ${id}`] : [],
    handoff: random.chance(0.15) ? 'required' : 'optional',
    priority: random.pick(['critical', 'high', 'normal', 'normal', 'low'] as const),
    timeoutMs: random.chance(0.4) ? random.pick([5_000, 60_000, 300_000]) : null,
    when: random.chance(0.12) ? whenOf(random, before) : null,
    ...(random.chance(0.12) ? { approve: true as const } : {}),
    ...(random.chance(0.15)
      ? {
          unanswered: {
            instead: random.pick(['deny', 'skip', 'fail'] as const),
            afterMs: random.pick([1_000, 60_000, 3_600_000]),
          },
        }
      : {}),
    tasks: random.chance(0.2) ? ['one', 'two'] : [],
    retry: {
      maxAttempts: 1 + random.below(3),
      backoff: random.pick(['exponential', 'linear', 'fixed'] as const),
      initialMs: random.pick([0, 5_000]),
      maxMs: random.pick([5_000, 300_000]),
      from: random.pick(['clean', 'continue'] as const),
    },
  };
}

/** Silence that some workers call a stall; of those some begin again then. */
function stallOf(random: Random): Pick<WorkerSketch, 'stall'> {
  if (!random.chance(0.2)) return {};
  return { stall: { afterMs: random.pick([8_000, 30_000, 120_000]), restart: random.chance(0.5) } };
}

/** Most workers have none; where runs or days have a limit, each has one. */
function budgetOf(random: Random, capped: boolean): Budget | null {
  if (!capped && !random.chance(0.2)) return null;
  return {
    tokens: random.chance(0.5) ? 40 : null,
    costUsd: null,
    realityMultiplier: 1.5,
    limit: random.pick([60, 150, 10_000]),
    onExceeded: random.pick(['block', 'block', 'fail', 'warn'] as const),
  };
}

/** Nobody, most of the time; agents, a person, or both. */
function reviewOf(random: Random): Pick<WorkerSketch, 'review'> {
  if (!random.chance(0.2)) return {};
  const agents = Array.from({ length: random.below(3) }, () => 'stub');
  const person = agents.length === 0 || random.chance(0.3);
  const most = agents.length + (person ? 1 : 0);
  return { review: { agents, person, quorum: random.chance(0.5) ? most : 1 } };
}

/** What workers share; the same in every run, so that runs share it too. */
const capacities: NonNullable<Policies['resources']> = {
  gpu: { amount: 2, requestsPerMinute: null, tokensPerMinute: null },
  db: { amount: null, requestsPerMinute: null, tokensPerMinute: null },
  api: { amount: null, requestsPerMinute: 3, tokensPerMinute: 60 },
};

/** Some of it; no more than there is. */
function requestsOf(random: Random): Pick<WorkerSketch, 'resources'> {
  const share = (amount: number): ResourceRequest => ({ amount, mode: 'share' });
  const all: readonly (readonly [string, ResourceRequest])[] = [
    ['gpu', share(1 + random.below(2))],
    ['db', { amount: 1, mode: random.pick(['read', 'read', 'write', 'exclusive'] as const) }],
    ['api', share(1 + random.below(3))],
    ['cpu', share(1 + random.below(3))],
    ['disk', share(random.pick([1_000_000_000, 5_000_000_000]))],
  ];
  const some = all.filter(() => random.chance(0.3));
  return some.length === 0 ? {} : { resources: Object.fromEntries(some) };
}

function limitsOf(random: Random): NonNullable<Policies['budget']> {
  const limit = (): Limits => ({
    tokens: random.chance(0.6) ? random.pick([200, 1_000, 50_000]) : null,
    costUsd: null,
  });
  return { run: limit(), day: limit() };
}

function edgeOf(
  random: Random,
  on: string,
  empty: boolean,
): NonNullable<WorkerSketch['on']>[number] {
  const kind = empty
    ? random.pick(['knowledge', 'sequential'] as const)
    : random.pick(['output', 'output', 'knowledge', 'sequential'] as const);
  return {
    on,
    kind,
    requires:
      kind === 'output' ? 'complete' : random.pick(['complete', 'verified', 'approved'] as const),
    allowSkipped: random.chance(0.3),
    inputs: kind === 'output' && random.chance(0.15) ? [`${on}.txt`] : [],
  };
}

function whenOf(random: Random, before: readonly string[]): string {
  const [first] = before;
  if (first !== undefined && random.chance(0.5)) return `changed ${first}`;
  return random.pick(['yes', 'yes', 'no', 'broken']);
}

/** Evaluates the expressions of generated plans. */
export function evaluate(
  expression: string,
  context: { readonly workers: Readonly<Record<string, { readonly no_change: boolean }>> },
): boolean | { readonly error: string } {
  if (expression === 'broken') return { error: 'it is broken' };
  const [word, worker] = expression.split(' ');
  if (word === 'changed' && worker !== undefined)
    return context.workers[worker]?.no_change !== true;
  return expression === 'yes';
}
