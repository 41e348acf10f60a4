/** Sums of what was spent, and the day (UTC) on which it was. */
import type { Spend } from './events.ts';
import type { DayState, RunState, WorkerState } from './state.ts';

export const noSpend: Spend = { tokens: 0, costUsd: 0 };

/** Share of a limit at which a warning is due. */
export const warningShare = 0.8;

const dayMs = 86_400_000;

export function plus(a: Spend, b: Spend): Spend {
  return { tokens: a.tokens + b.tokens, costUsd: a.costUsd + b.costUsd };
}

/** Fresh input and output, and money; cached reads cost, but do not count as tokens. */
export function spendOf(usage: WorkerState['usage']): Spend {
  return { tokens: usage.input + usage.output, costUsd: usage.costUsd };
}

/** The day in UTC, counted from 1970. */
export function dayOf(at: number): number {
  return Math.floor(at / dayMs);
}

/** When the next day begins, milliseconds since 1970. */
export function nextDay(now: number): number {
  return (dayOf(now) + 1) * dayMs;
}

/** A day on which nothing was spent yet. */
export const emptyDay = { used: noSpend, added: noSpend, told: 0 } as const;

/** The days of the run after something more on the day of `at`: the clock may be set back over midnight, or go on. */
export function withDay(
  run: Pick<RunState, 'day' | 'dayBefore'>,
  at: number,
  more: { readonly used?: Spend; readonly added?: Spend; readonly told?: number },
): Pick<RunState, 'day' | 'dayBefore'> {
  const day = dayOf(at);
  const known = [run.day, run.dayBefore].filter((one) => one !== null);
  const before = known.find((one) => one.day === day) ?? emptyDay;
  const now: DayState = {
    day,
    used: plus(before.used, more.used ?? noSpend),
    added: plus(before.added, more.added ?? noSpend),
    told: more.told ?? before.told,
  };
  const [latest = null, other = null] = [now, ...known.filter((one) => one.day !== day)].toSorted(
    (a, b) => b.day - a.day,
  );
  return { day: latest, dayBefore: other };
}
