/** One turn over the state: decide each command, then let follow what follows by itself. Pure but for the fold's maps. */
import { advance, type AdvanceOptions } from '../core/advance.ts';
import type { Command } from '../core/commands.ts';
import { decide } from '../core/decide.ts';
import type { Decision } from '../core/decision.ts';
import { evolve, type FoldState } from '../core/evolve.ts';
import type { Event, Machine, NewEvent } from '../core/events.ts';
import { restlessRuns } from '../core/restless.ts';
import { isRunLive } from '../core/state.ts';

/** The two functions that a turn is made of. */
export interface Decisions {
  readonly decide: typeof decide;
  readonly advance: typeof advance;
}

/** Those of the core. */
export const decisions: Decisions = { decide, advance };

export interface Turn {
  /** Events of the turn, folded into the state already and still to be appended. */
  readonly events: readonly Event[];
  /** The decision on each command, in order. */
  readonly decisions: readonly Decision[];
}

/** Takes the commands at `options.now`; the state has all events of the turn folded in when it returns. */
export function turn(
  state: FoldState,
  commands: readonly Command[],
  options: AdvanceOptions & {
    /** Looks at the machine; asked once in the turn, and only while a run lives. */
    readonly machine?: (() => Machine | null) | undefined;
  },
  rules: Decisions = decisions,
): Turn {
  const events: Event[] = [];
  const fold = (next: readonly NewEvent[]): void => {
    for (const one of next) {
      const event: Event = { ...one, seq: state.seq + 1, at: options.now };
      evolve(state, event);
      events.push(event);
    }
  };
  let machine: Machine | null | undefined;
  /** Before anything starts, what the machine has counts; asking again with the same makes no difference. */
  const look = (): void => {
    if (options.machine === undefined || !restlessRuns(state).some(isRunLive)) return;
    machine ??= options.machine();
    if (machine === null) return;
    const seen = rules.decide(state, { kind: 'machine-observed', machine }, options.now);
    if (seen.ok) fold(seen.events);
  };
  const settle = (): void => {
    look();
    const next = (): readonly NewEvent[] => rules.advance(state, options);
    for (let events = next(); events.length > 0; events = next()) fold(events);
  };
  const decided = commands.map((command, index) => {
    const decision = rules.decide(state, command, options.now);
    if (decision.ok) fold(decision.events);
    // What is asked together with the start of a loop counts before anything follows from the start.
    if (command.kind !== 'loop-started' || index === commands.length - 1) settle();
    return decision;
  });
  if (commands.length === 0) settle();
  return { events, decisions: decided };
}
