/** Days and weeks as reports count them: in UTC, as the log and the day's budget do. Weeks begin on Monday. */

/** From `from` up to, not including, `to`; milliseconds since 1970. */
export interface Period {
  /** First day, `2025-12-26`. */
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

const dayMs = 86_400_000;

/** The day that is named, `2025-12-26`; null when there is none of that name. */
export function dayNamed(name: string): Period | null {
  if (!/^\d{4}-\d\d-\d\d$/.test(name)) return null;
  const from = Date.parse(`${name}T00:00:00.000Z`);
  return Number.isNaN(from) || dayName(from) !== name ? null : { name, from, to: from + dayMs };
}

/** The day that holds the moment. */
export function dayAround(ms: number): Period {
  const from = Math.floor(ms / dayMs) * dayMs;
  return { name: dayName(from), from, to: from + dayMs };
}

/** The day before. */
export function dayBefore({ from }: Period): Period {
  return dayAround(from - dayMs);
}

/** The week that holds the day. */
export function weekOf({ from }: Period): Period {
  // 1970 began on a Thursday.
  const monday = from - ((from / dayMs + 3) % 7) * dayMs;
  return { name: dayName(monday), from: monday, to: monday + 7 * dayMs };
}

/** Whether the moment lies in it; no moment does not. */
export function holds({ from, to }: Period, ms: number | null): boolean {
  return ms !== null && ms >= from && ms < to;
}

function dayName(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
