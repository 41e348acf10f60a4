/** Figures as people read them. Pure; every percentage in czar is computed here. */

/** Milliseconds as ISO 8601 in UTC, with milliseconds. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString();
}

/** Milliseconds as ISO 8601 in UTC, to the second. */
export function secondStamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** A local clock time, `10:15:04`; `offsetMinutes` is what the clock is ahead of UTC. */
export function clockTime(ms: number, offsetMinutes: number): string {
  return new Date(ms + offsetMinutes * 60_000).toISOString().slice(11, 19);
}

/** A local date and time to the second, `2025-12-26 14:32:05`. */
export function localStamp(ms: number, offsetMinutes: number): string {
  return new Date(ms + offsetMinutes * 60_000).toISOString().slice(0, 19).replace('T', ' ');
}

/** A local date and time to the minute, `2025-12-26 14:32`. */
export function minuteStamp(ms: number, offsetMinutes: number): string {
  return new Date(ms + offsetMinutes * 60_000).toISOString().slice(0, 16).replace('T', ' ');
}

/** `1150000` as `1,150,000`. */
export function grouped(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1150000` as `1,150K`; below ten thousand the number itself, so that nothing small is rounded away; from 10^9 on in millions. */
export function thousands(count: number): string {
  if (count < 10_000) return grouped(count);
  return count < 1e9 ? `${grouped(count / 1000)}K` : `${grouped(count / 1e6)}M`;
}

/** Share of the whole in percent with one decimal, rounded down, so that 100 means all; null of nothing. */
export function percent(part: number, whole: number | null): number | null {
  if (whole === null || whole <= 0) return null;
  // Two steps, since 0.29 * 100 is not 29.
  return Math.floor(Math.round((part / whole) * 1e9) / 1e6) / 10;
}

/** A percentage for people: whole, rounded down. */
export function percentText(value: number): string {
  return `${Math.floor(value)}%`;
}

/** A span of milliseconds in the two largest units that matter: `4s`, `3m 20s`, `2h 05m`, `6 days`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m ${two(seconds % 60)}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h ${two(minutes % 60)}m`;
  return `${Math.floor(hours / 24)} days`;
}

/** `1 worker`, `2 workers`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
