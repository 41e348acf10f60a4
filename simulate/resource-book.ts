/**
 * Resources, counted once more from the log alone: what live attempts hold, what was used in the last minute, and
 * whether a start leaves all of it within what there is.
 */
import type { Event } from '../src/core/events.ts';
import type { Capacity, ResourceRequest, WorkerDefinition } from '../src/core/plan.ts';
import { isLive, type RunBook, type WorkerBook } from './books.ts';

/** What every machine of the simulation has. */
export const simMachine = { cpu: 3, memory: 8_000_000_000, disk: 100_000_000_000 };

interface Use {
  readonly run: string;
  readonly at: number;
  readonly name: string;
  readonly requests: number;
  readonly tokens: number;
}

export class ResourceBook {
  #uses: Use[] = [];

  apply(
    event: Event,
    definition: WorkerDefinition | undefined,
    there: Readonly<Record<string, Capacity>> = {},
  ): void {
    if (definition?.resources === undefined) return;
    const { run = '' } = event;
    const starts = event.type === 'worker.started';
    const tokens =
      event.type === 'worker.usage' && event.data.source === 'reported'
        ? event.data.input + event.data.output
        : 0;
    if (!starts && tokens === 0) return;
    const counted = Object.entries(definition.resources).filter(([name]) => {
      const limits = there[name];
      return (starts ? limits?.requestsPerMinute : limits?.tokensPerMinute) != null;
    });
    if (counted.length === 0) return;
    // What a clock that was set back brings into the minute again counts again, unless it was forgotten meanwhile.
    this.#uses = this.#uses.filter(
      (use) => use.run !== run || Math.abs(event.at - use.at) < 60_000,
    );
    for (const [name, { amount }] of counted)
      this.#uses.push({
        run,
        at: event.at,
        name,
        requests: starts ? Math.max(1, amount) : 0,
        tokens,
      });
  }

  /** Why the worker may not start now beside what lives, in a sentence; null when it may. */
  refusal(runs: Iterable<RunBook>, run: RunBook, worker: WorkerBook, now: number): string | null {
    const live = [...runs].flatMap((one) => [...one.workers.values()].filter(isLive));
    for (const [name, request] of Object.entries(worker.definition.resources ?? {})) {
      const held = live.flatMap(({ definition }) => definition.resources?.[name] ?? []);
      const why =
        tooMuch(capacityOf(run, name), held, request) ?? this.#tooSoon(run, name, request, now);
      if (why !== null) return `${name} ${why}`;
    }
    return null;
  }

  #tooSoon(run: RunBook, name: string, request: ResourceRequest, now: number): string | null {
    const { requestsPerMinute, tokensPerMinute } = run.plan.policies.resources?.[name] ?? {};
    const uses = this.#uses.filter((use) => use.name === name && Math.abs(now - use.at) < 60_000);
    const sum = (what: 'requests' | 'tokens'): number =>
      uses.reduce((all, use) => all + use[what], 0);
    if (requestsPerMinute != null) {
      const need = Math.min(Math.max(1, request.amount), requestsPerMinute);
      if (sum('requests') + need > requestsPerMinute) return 'has no requests left in this minute';
    }
    if (tokensPerMinute != null && sum('tokens') >= tokensPerMinute)
      return 'has no tokens left in this minute';
    return null;
  }
}

/** Whether somebody in line who has waited for a level asks for something that the worker asks for. */
export function isReserved(runs: Iterable<RunBook>, worker: WorkerBook, now: number): boolean {
  const wanted = Object.keys(worker.definition.resources ?? {});
  return [...runs].some((run) =>
    [...run.workers.values()].some(
      (one) =>
        one !== worker &&
        one.state === 'ready' &&
        now - one.since >= run.plan.policies.agingMs &&
        wanted.some((name) => one.definition.resources?.[name] !== undefined),
    ),
  );
}

/** Space that must be free for the worker to start. */
export function spaceFor(run: RunBook, worker: WorkerBook): number {
  const asked = worker.definition.resources?.['disk']?.amount ?? 0;
  return (run.plan.policies.diskReserveBytes ?? 1_000_000_000) + asked;
}

function capacityOf(run: RunBook, name: string): Capacity['amount'] {
  const declared = run.plan.policies.resources?.[name];
  if (declared?.amount != null) return declared.amount;
  return name === 'cpu' || name === 'memory' || name === 'disk' ? simMachine[name] : null;
}

function tooMuch(
  capacity: number | null,
  held: readonly ResourceRequest[],
  { amount, mode }: ResourceRequest,
): string | null {
  const modes = held.map((one) => one.mode);
  if (held.length > 0 && (mode === 'exclusive' || modes.includes('exclusive')))
    return 'would not be held alone';
  if (mode === 'write' && (modes.includes('read') || modes.includes('write')))
    return 'would be written beside others';
  if (mode === 'read' && modes.includes('write')) return 'is being written';
  if (capacity === null) return null;
  const sum = held.reduce((all, one) => all + one.amount, 0);
  return sum + amount > capacity ? `would be held beyond ${capacity}` : null;
}
