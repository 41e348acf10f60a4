/** What a failed request of an agent to its provider means for its attempt, by the status and the words it came with. */
import type { Judgement } from '../core/events.ts';

/** How long a provider that is overloaded is left alone, milliseconds. */
const overloadedMs = 60_000;

/**
 * The judgement of an attempt that ended because of its provider. `status` is that of HTTP, null when it is not known;
 * `until` is when there is quota again, milliseconds since 1970, when the agent was told.
 */
export function providerFailure(options: {
  readonly reason: string;
  readonly status: number | null;
  readonly until: number | null;
  readonly now: number;
}): Judgement {
  const { reason, status, until, now } = options;
  const words = oneSentence(reason);
  switch (status) {
    case 429:
      return { kind: 'quota', reason: words, until };
    case 529:
      return { kind: 'quota', reason: words, until: until ?? now + overloadedMs };
    // A repeat with the same key, or the same request, gets the same answer.
    case 400:
    case 401:
    case 403:
    case 404:
      return { kind: 'failed', reason: words, final: true };
    case null:
    default:
      return until === null
        ? { kind: 'failed', reason: words, final: false }
        : { kind: 'quota', reason: words, until };
  }
}

/** The HTTP status that a message of an agent names, such as `unexpected status 401 Unauthorized`; null without one. */
export function statusIn(message: string): number | null {
  const [, found] = /\b(?:status|error|code)[: ]+(\d{3})\b/i.exec(message) ?? [];
  const [, named] =
    /\b(\d{3}) (?:Too Many Requests|Unauthorized|Forbidden|Bad Request)\b/i.exec(message) ?? [];
  const text = named ?? found;
  return text === undefined ? null : Number(text);
}

const units: Readonly<Record<string, number>> = {
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1000,
};

/** When there is quota again, from words such as `try again in 2 hours 5 minutes`; null when they say nothing of it. */
export function quotaEnd(message: string, now: number): number | null {
  const [, span = ''] =
    /try again in ((?:\d+ (?:day|hour|minute|second)s?[ ,and]*)+)/i.exec(message) ?? [];
  let sum = 0;
  for (const [, count, unit = ''] of span.matchAll(/(\d+) (day|hour|minute|second)/gi))
    sum += Number(count) * (units[unit.toLowerCase()] ?? 0);
  return sum === 0 ? null : now + sum;
}

/** Longest reason, characters. */
const longest = 300;

/** A text as one line of a length that can be shown. */
export function oneSentence(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= longest ? line : `${line.slice(0, longest - 1)}…`;
}
