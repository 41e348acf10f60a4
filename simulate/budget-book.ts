/**
 * Tokens, counted once more from the log alone: what workers, runs and days have used, what was added to their limits,
 * and whether a start leaves room for all that lives.
 */
import type { Event } from '../src/core/events.ts';
import type { Limits, WorkerDefinition } from '../src/core/plan.ts';

interface Sum {
  used: number;
  added: number;
}

/** The part of a run's book that matters here. */
interface Run {
  readonly id: string;
  readonly plan: {
    readonly policies: { readonly budget?: { readonly run: Limits; readonly day: Limits } };
  };
  readonly workers: ReadonlyMap<
    string,
    { readonly id: string; readonly definition: WorkerDefinition; readonly state: string }
  >;
}

export class BudgetBook {
  readonly #sums = new Map<string, Sum>();

  apply(event: Event): void {
    const { run = '', worker = '' } = event;
    if (event.type === 'worker.usage') {
      const tokens = event.data.input + event.data.output;
      for (const name of [workerName(run, worker), run, dayName(event.at)])
        this.#of(name).used += tokens;
    }
    if (event.type === 'budget.raised') {
      const { scope, tokens } = event.data;
      const name =
        scope === 'worker' ? workerName(run, worker) : scope === 'run' ? run : dayName(event.at);
      this.#of(name).added += tokens;
    }
  }

  /** Why the worker may not start now, in a sentence; null when it may. */
  refusal(runs: Iterable<Run>, run: Run, worker: string, now: number): string | null {
    const definition = run.workers.get(worker)?.definition;
    const mine = definition === undefined ? null : this.#open(run.id, definition);
    if (mine === 0 && definition?.budget?.onExceeded !== 'warn') return 'its budget is used up';
    const { budget } = run.plan.policies;
    if (budget === undefined) return null;
    const need = mine ?? 0;
    const all = [...runs];
    if (this.#isFull(run.id, budget.run.tokens, this.#reserved([run]) + need))
      return 'the run has not enough left';
    return this.#isFull(dayName(now), budget.day.tokens, this.#reserved(all) + need)
      ? 'the day has not enough left'
      : null;
  }

  #isFull(name: string, limit: number | null, more: number): boolean {
    if (limit === null) return false;
    const { used, added } = this.#of(name);
    return used >= limit + added || used + more > limit + added;
  }

  #reserved(runs: readonly Run[]): number {
    let sum = 0;
    for (const run of runs)
      for (const { definition, state } of run.workers.values())
        if (state === 'starting' || state === 'active') sum += this.#open(run.id, definition) ?? 0;
    return sum;
  }

  /** What is left of the worker's limit; null without one. */
  #open(run: string, { id, budget }: WorkerDefinition): number | null {
    if (budget === null) return null;
    const estimate = budget.tokens === null ? null : budget.tokens * budget.realityMultiplier;
    const limit = budget.limit ?? estimate;
    if (limit === null) return null;
    const { used, added } = this.#of(workerName(run, id));
    return Math.max(0, Math.round(limit) + added - used);
  }

  #of(name: string): Sum {
    const found = this.#sums.get(name) ?? { used: 0, added: 0 };
    this.#sums.set(name, found);
    return found;
  }
}

function workerName(run: string, worker: string): string {
  return `${run}/${worker}`;
}

function dayName(at: number): string {
  return `day ${Math.floor(at / 86_400_000)}`;
}
