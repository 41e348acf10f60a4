/** Spans of time as people write them: `500ms`, `5s`, `10m`, `1h30m`, `2d`. */

/** What a duration must look like: units from large to small, each at most once. */
export const durationPattern = /^(?=\d)(?:\d+d)?(?:\d+h)?(?:\d+m(?!s))?(?:\d+s)?(?:\d+ms)?$/;

/** The longest duration that is accepted, milliseconds: a year. */
export const maxDurationMs = 365 * 24 * 3_600_000;

/** Milliseconds of a duration, or null when the text is none or is longer than a year. */
export function parseDuration(text: string): number | null {
  if (text.length > 40 || !durationPattern.test(text)) return null;
  let total = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(/(\d+)(ms|[dhms])/g)) {
    total += Number(amount) * (units[unit] ?? 0);
  }
  return total <= maxDurationMs ? total : null;
}

/** A duration as a person would write it, such as `1h30m`. */
export function formatDuration(ms: number): string {
  let left = Math.round(ms);
  let text = '';
  for (const [unit, size] of Object.entries(units)) {
    const amount = Math.floor(left / size);
    if (amount === 0) continue;
    text += `${amount}${unit}`;
    left -= amount * size;
  }
  return text === '' ? '0s' : text;
}

const units: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
};
