/**
 * For each invariant a product that is broken on purpose, at the place that should keep it. What no check notices is a
 * hole in the checks.
 */
import { noBudgets, noResources } from './plans-apart.ts';
import { advance } from '../src/core/advance.ts';
import { decide } from '../src/core/decide.ts';
import type { NewEvent } from '../src/core/events.ts';
import { grantStarts } from '../src/core/schedule/grant.ts';
import type { Intent } from '../src/core/intents.ts';
import type { Plan, Policies } from '../src/core/plan.ts';
import { schedule } from '../src/core/schedule.ts';
import type { RepositoryState, RunState, WorkerState } from '../src/core/state.ts';
import { adding, deciding, dropping, rules, scheduling, underPlan } from './mutate-rules.ts';
import type { Mutant } from './mutant.ts';
import { reworkMutants } from './mutants-rework.ts';
import { askMutants } from './mutants-asks.ts';
import { homeMutants } from './mutants-home.ts';
import { pruneMutants } from './mutants-prune.ts';
import { stallMutants } from './mutants-stall.ts';
import { worldMutants } from './mutants-world.ts';

function withPolicies(policies: (plan: Plan) => Partial<Policies>): (plan: Plan) => Plan {
  return once((plan) => ({ ...plan, policies: { ...plan.policies, ...policies(plan) } }));
}

/** What would start if no run were paused. */
function startsAnyway(state: RepositoryState, now: number): readonly NewEvent[] {
  return [...state.runs.values()]
    .filter((run) => run.state === 'paused')
    .flatMap((run) => grantStarts(state, { ...run, state: 'running' }, now));
}

/** The state as it would be if no launch needed a person. */
function unasked(state: RepositoryState): RepositoryState {
  const without = underPlan(state, noApprovals);
  const runs = new Map([...without.runs].map(([id, run]) => [id, { ...run, approve: false }]));
  return { ...without, runs };
}

/** The state as it would be if what was approved once were approved for every attempt. */
function forEver(state: RepositoryState): RepositoryState {
  const approved = (worker: WorkerState): WorkerState =>
    worker.approval?.state === 'granted'
      ? { ...worker, approval: { ...worker.approval, attempt: worker.attempts + 1 } }
      : worker;
  const runs = [...state.runs].map(([id, run]): [string, RunState] => {
    const workers = [...run.workers].map(([name, worker]) => [name, approved(worker)] as const);
    return [id, { ...run, workers: new Map(workers) }];
  });
  return { ...state, runs: new Map(runs) };
}

const noTime = once((plan) => {
  const workers = plan.workers.map((one) =>
    one.unanswered === undefined ? one : { ...one, unanswered: { ...one.unanswered, afterMs: 0 } },
  );
  return { ...plan, workers };
});

const noApprovals = once((plan) => {
  const workers = plan.workers.map(({ approve: _approve, ...worker }) => worker);
  return { ...plan, workers };
});

/** The change of a plan, made once for each plan. */
function once(change: (plan: Plan) => Plan): (plan: Plan) => Plan {
  const known = new WeakMap<Plan, Plan>();
  return (plan) => {
    const found = known.get(plan) ?? change(plan);
    known.set(plan, found);
    return found;
  };
}

const moreSlots = withPolicies((plan) => ({ maxParallel: plan.policies.maxParallel + 1 }));
const noClaims = withPolicies(() => ({ ownership: 'warn' }));

function moreAttempts(plan: Plan): Plan {
  const workers = plan.workers.map((one) => ({
    ...one,
    retry: { ...one.retry, maxAttempts: one.retry.maxAttempts + 1 },
  }));
  return { ...plan, workers };
}

const coreMutants: readonly Mutant[] = [
  {
    breaks: 'S2',
    name: 'reports carry the number of the attempt before',
    mutation: deciding((events, command) =>
      command.kind === 'reports'
        ? events.map((event) => ({ ...event, attempt: command.attempt - 1 }))
        : events,
    ),
  },
  {
    breaks: 'S3',
    name: 'a pending worker becomes ready whatever its edges say',
    mutation: adding((_run, worker) =>
      worker.state === 'pending'
        ? {
            type: 'worker.ready',
            data: { from: 'pending', reason: 'why not', notBefore: null, counts: null, tree: null },
          }
        : null,
    ),
  },
  {
    breaks: 'S4',
    name: 'a merge is committed while its gates are open',
    mutation: scheduling((intent, state) => {
      if (intent.kind !== 'check' || intent.subject !== 'merge' || intent.worker === null)
        return [intent];
      const { run, worker, commit, tree } = intent;
      const merge = state.runs.get(run)?.workers.get(worker)?.merge;
      if (merge == null) return [intent];
      const { base, tip } = merge;
      const key = `${run}/commit-merge:${worker}:0:${commit}`;
      const admission = { change: [], trees: [] };
      const built = { worker, base, tip, commit, tree };
      return [{ kind: 'commit-merge', key, run, ...built, admission, ahead: [] }];
    }),
  },
  {
    breaks: 'S14',
    name: 'work is collected while its agent runs',
    mutation: scheduling((intent) => {
      if (intent.kind !== 'watch') return [intent];
      const { run, worker, attempt } = intent;
      const key = `${run}/collect:${worker}:${attempt}`;
      return [
        intent,
        { kind: 'collect', key, run, worker, attempt, commit: 'all', integration: 'c1' },
      ];
    }),
    or: ['S19'],
  },
  {
    breaks: 'S16',
    name: 'a plan in which a worker waits for itself is taken',
    mutation: deciding((events) =>
      events.map((event) => {
        if (event.type !== 'run.started') return event;
        const workers = event.data.plan.workers.map((one) => ({
          ...one,
          edges: one.edges.map((edge) => ({ ...edge, on: one.id })),
        }));
        return { ...event, data: { ...event.data, plan: { ...event.data.plan, workers } } };
      }),
    ),
  },
  {
    breaks: 'S17',
    name: 'a worker is blocked without a cause',
    mutation: deciding((events) =>
      events.map((event) =>
        event.type === 'worker.blocked'
          ? { ...event, data: { ...event.data, block: { ...event.data.block, text: '' } } }
          : event,
      ),
    ),
  },
  {
    breaks: 'L1',
    name: 'a ready worker is not started',
    mutation: dropping((event) => event.type === 'worker.started'),
  },
  {
    breaks: 'L2',
    name: 'a run that waits for a person does not say so',
    mutation: dropping((event) => event.type === 'run.waiting'),
  },
  {
    breaks: 'L3',
    name: 'the merge queue stands still',
    mutation: scheduling((intent) => (intent.kind === 'build-merge' ? [] : [intent])),
  },
  {
    breaks: 'L5',
    name: 'each start of a loop writes something more',
    mutation: deciding((events, command, state) => {
      const [run] = state.runs.keys();
      if (command.kind !== 'loop-started' || run === undefined) return events;
      const data = { ref: 'refs/heads/x', expected: null, why: 'again' };
      return [...events, { type: 'refs.diverged', run, data }];
    }),
  },
  {
    breaks: 'A2',
    name: 'what is to be done depends on what was done in this process',
    mutation: (() => {
      const seen = new WeakSet<RepositoryState>();
      return rules({
        schedule: (state, options) => {
          const { intents, wakeAt } = schedule(state, options);
          if (seen.has(state)) return { intents, wakeAt };
          seen.add(state);
          const more = [...state.runs.values()].flatMap((run): Intent[] =>
            run.tip === null
              ? []
              : [{ kind: 'publish', key: `${run.id}/publish:first`, run: run.id, refs: {} }],
          );
          return { intents: [...intents, ...more], wakeAt };
        },
      });
    })(),
  },
  {
    breaks: 'A5',
    name: 'a second merge begins beside the first',
    mutation: adding((run, worker) =>
      worker.state === 'merging' && worker.merge === null && worker.work !== null
        ? {
            type: 'merge.started',
            data: { base: run.tip ?? '', tip: worker.work.tip, date: 1 },
          }
        : null,
    ),
    or: ['S3', 'A6'],
  },
  {
    breaks: 'P1',
    name: 'one slot too many is granted',
    mutation: rules({
      advance: (state, options) => advance(underPlan(state, moreSlots), options),
    }),
  },
  {
    breaks: 'P2',
    name: 'claims are not looked at',
    mutation: rules({ advance: (state, options) => advance(underPlan(state, noClaims), options) }),
  },
  {
    breaks: 'P3',
    name: 'how far reports were read is forgotten',
    mutation: deciding((events) => events.filter((event) => event.type !== 'attempt.read')),
  },
  {
    breaks: 'P4',
    name: 'one attempt too many is made',
    mutation: rules({
      decide: (state, command, now) => decide(underPlan(state, moreAttempts), command, now),
    }),
  },
  {
    breaks: 'P5',
    name: 'a worker whose gates passed is complete without a merge',
    mutation: rules({
      advance: (state, options) =>
        advance(state, options).map((event) =>
          event.type === 'worker.merging' && event.data.from === 'verifying'
            ? {
                ...event,
                type: 'worker.complete',
                data: { from: 'verifying', reason: 'good enough', noChange: false },
              }
            : event,
        ),
    }),
  },
  {
    breaks: 'P6',
    name: 'time limits are reckoned from a clock that is an hour ahead',
    mutation: rules({
      schedule: (state, options) => schedule(state, { ...options, now: options.now + 3_600_000 }),
    }),
    or: ['A2'],
  },
  {
    breaks: 'P7',
    name: 'every tree starts from the base of the run',
    mutation: scheduling((intent, state) => {
      const base = state.runs.get(intent.run)?.base.commit;
      return intent.kind === 'prepare-tree' && base !== undefined
        ? [{ ...intent, commit: base }]
        : [intent];
    }),
  },
  {
    breaks: 'P11',
    name: 'nobody is given time to answer',
    mutation: rules({ advance: (state, options) => advance(underPlan(state, noTime), options) }),
  },
  {
    breaks: 'P10',
    name: 'an approval counts for every later attempt',
    mutation: rules({ advance: (state, options) => advance(forEver(state), options) }),
  },
  {
    breaks: 'P10',
    name: 'nobody is asked before a launch',
    mutation: rules({
      advance: (state, options) => advance(unasked(state), options),
    }),
  },
  {
    breaks: 'P12',
    name: 'budgets are not looked at',
    mutation: rules({
      advance: (state, options) => advance(underPlan(state, noBudgets), options),
    }),
  },
  {
    breaks: 'P15',
    name: 'the own agent of a worker makes every attempt of it',
    mutation: rules({
      advance: (state, options) =>
        advance(state, options).map((event) => {
          if (event.type !== 'worker.started' || event.data.agent === undefined) return event;
          const { agent: _other, ...data } = event.data;
          return { ...event, data };
        }),
    }),
  },
  {
    breaks: 'P13',
    name: 'resources are not looked at',
    mutation: rules({
      advance: (state, options) => advance(underPlan(state, noResources), options),
    }),
  },
  {
    breaks: 'P13',
    name: 'the disk is looked at once and never again',
    mutation: deciding((events, command, state) =>
      command.kind === 'machine-observed' && [...state.runs.values()].some((run) => run.machine)
        ? []
        : events,
    ),
    or: ['L1', 'L2'],
  },
  {
    breaks: 'P2',
    name: 'each run is taken for the only one',
    mutation: rules({
      advance: (state, options) => {
        for (const [id, run] of state.runs) {
          const events = advance({ ...state, runs: new Map([[id, run]]) }, options);
          if (events.length > 0) return events;
        }
        return [];
      },
    }),
    or: ['P1', 'P12', 'P13'],
  },
  {
    breaks: 'P9',
    name: 'a paused run goes on with what is ready',
    mutation: rules({
      advance: (state, options) => {
        const events = advance(state, options);
        return events.length > 0 ? events : startsAnyway(state, options.now);
      },
    }),
  },
  {
    breaks: 'P8',
    name: 'an unexpected request throws',
    mutation: deciding((events, command) => {
      if (command.kind === 'cancel') throw new Error('not thought of');
      return events;
    }),
  },
];

/** Every mutant. */
export const mutants: readonly Mutant[] = [
  ...coreMutants,
  ...askMutants,
  ...reworkMutants,
  ...stallMutants,
  ...pruneMutants,
  ...homeMutants,
  ...worldMutants,
];
