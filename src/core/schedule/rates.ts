/**
 * Resources that are limited by the minute. A start counts as the requests that its worker names, at least one; tokens
 * count when an agent tells of them. The minute rolls, by the times of the events.
 */
import type { EventOf } from '../events.ts';
import type { Capacity, ResourceRequest } from '../plan.ts';
import { definitionOf, type RateUse, type RepositoryState, type RunState } from '../state.ts';

export const minuteMs = 60_000;

/** What a start counts as. */
export function requestsOf({ amount }: ResourceRequest): number {
  return Math.max(1, amount);
}

/** What counts in the minute before `now`, of every run. */
export function recentUses(
  { runs }: Pick<RepositoryState, 'runs'>,
  now: number,
): readonly RateUse[] {
  return [...runs.values()].flatMap(({ rates }) => rates.filter((use) => isRecent(use, now)));
}

/** When the rates of the resource have room for the request, milliseconds since 1970; null when they have it now. */
export function roomAt(
  capacity: Capacity,
  request: ResourceRequest,
  uses: readonly RateUse[],
): number | null {
  const { requestsPerMinute, tokensPerMinute } = capacity;
  const byAge = uses.toSorted((a, b) => a.at - b.at);
  const requests =
    requestsPerMinute === null
      ? null
      : whenLeft(byAge, 'requests', (used) => {
          const need = Math.min(requestsOf(request), requestsPerMinute);
          return used + need <= requestsPerMinute;
        });
  const tokens =
    tokensPerMinute === null
      ? null
      : whenLeft(byAge, 'tokens', (used) => used < Math.max(1, tokensPerMinute));
  if (requests === null || tokens === null) return requests ?? tokens;
  return Math.max(requests, tokens);
}

/** The uses of the run after a worker started or told of tokens; nothing when no rate is concerned. */
export function ratesAfter(
  run: Pick<RunState, 'id' | 'plan' | 'rates'>,
  event: EventOf<'worker.started' | 'worker.usage'>,
): Pick<RunState, 'rates'> | null {
  const { resources } = run.plan.policies;
  const asked = definitionOf(run, event.worker ?? '').resources;
  if (resources === undefined || asked === undefined) return null;
  const more = Object.entries(asked).flatMap(([name, request]): readonly RateUse[] => {
    const capacity = Object.hasOwn(resources, name) ? resources[name] : undefined;
    if (capacity === undefined) return [];
    if (event.type === 'worker.started')
      return capacity.requestsPerMinute === null
        ? []
        : [{ at: event.at, name, requests: requestsOf(request), tokens: 0 }];
    // What is charged because nothing was told was not used just now.
    if (capacity.tokensPerMinute === null || event.data.source === 'estimated') return [];
    const tokens = event.data.input + event.data.output;
    return [{ at: event.at, name, requests: 0, tokens }];
  });
  if (more.length === 0) return null;
  return { rates: [...run.rates.filter((use) => isRecent(use, event.at)), ...more] };
}

/** A clock that was set back makes nobody wait longer than two minutes. */
function isRecent({ at }: RateUse, now: number): boolean {
  return Math.abs(now - at) < minuteMs;
}

/** When so many uses have left the minute that the rest fits; null when all fit. */
function whenLeft(
  byAge: readonly RateUse[],
  what: 'requests' | 'tokens',
  fits: (used: number) => boolean,
): number | null {
  let used = byAge.reduce((sum, use) => sum + use[what], 0);
  let until: number | null = null;
  for (const use of byAge) {
    if (fits(used)) break;
    used -= use[what];
    until = use.at + minuteMs;
  }
  return until;
}
