/** Ways to break the rules of the core on purpose. */
import { advance } from '../src/core/advance.ts';
import type { Command } from '../src/core/commands.ts';
import { decide } from '../src/core/decide.ts';
import type { NewEvent } from '../src/core/events.ts';
import type { Intent } from '../src/core/intents.ts';
import type { Plan } from '../src/core/plan.ts';
import { schedule } from '../src/core/schedule.ts';
import type { RepositoryState, RunState, WorkerState } from '../src/core/state.ts';
import type { Rules } from '../src/daemon/loop.ts';
import type { Mutation } from './mutation.ts';

const core: Rules = { decide, advance, schedule };

/** The core with some of its rules changed. */
export function rules(changed: Partial<Rules>): Mutation {
  return { rules: { ...core, ...changed } };
}

/** Decides as the core, then changes the events. */
export function deciding(
  change: (
    events: readonly NewEvent[],
    command: Command,
    state: RepositoryState,
  ) => readonly NewEvent[],
): Mutation {
  return rules({
    decide: (state, command, now) => {
      const decision = decide(state, command, now);
      return decision.ok ? { ok: true, events: change(decision.events, command, state) } : decision;
    },
  });
}

/** What follows by itself, without the events that are dropped. */
export function dropping(drop: (event: NewEvent) => boolean): Mutation {
  return rules({
    advance: (state, options) => advance(state, options).filter((event) => !drop(event)),
  });
}

/** When the core rests, one thing more. */
export function adding(more: (run: RunState, worker: WorkerState) => NewEvent | null): Mutation {
  return rules({
    advance: (state, options) => {
      const events = advance(state, options);
      if (events.length > 0) return events;
      for (const run of state.runs.values()) {
        if (run.tip === null || run.state !== 'running') continue;
        for (const worker of run.workers.values()) {
          const event = more(run, worker);
          if (event !== null) return [{ ...event, run: run.id, worker: worker.id }];
        }
      }
      return [];
    },
  });
}

/** Schedules as the core, then changes each intent. */
export function scheduling(
  change: (intent: Intent, state: RepositoryState) => readonly Intent[],
): Mutation {
  return rules({
    schedule: (state, options) => {
      const { intents, wakeAt } = schedule(state, options);
      return { intents: intents.flatMap((intent) => change(intent, state)), wakeAt };
    },
  });
}

/** The state as it would be under other policies, or with other workers. */
export function underPlan(state: RepositoryState, other: (plan: Plan) => Plan): RepositoryState {
  const runs = new Map([...state.runs].map(([id, run]) => [id, { ...run, plan: other(run.plan) }]));
  return { ...state, runs };
}
