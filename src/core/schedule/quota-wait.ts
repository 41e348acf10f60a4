/** How long an attempt waits that its provider turned away. */

/** First wait of an agent that was not told for how long, milliseconds; each further one in a row is twice as long. */
const firstWaitMs = 60_000;
const longestWaitMs = 60 * 60_000;
/** No quota is away for longer: an agent that says so is mistaken, milliseconds. */
const longestQuotaMs = 8 * 24 * 60 * 60_000;

/** When an attempt that was turned away is tried again, milliseconds since 1970. `inRow` counts those before it. */
export function quotaEnd(until: number | null, inRow: number, now: number): number {
  const own = now + Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(inRow, 10));
  // One that is over by this machine's clock is not over by the provider's, which has just turned it away.
  return until === null || until <= now ? own : Math.min(until, now + longestQuotaMs);
}
