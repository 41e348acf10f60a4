/**
 * Resources that workers share: what there is, who holds how much, and what a start lacks. An attempt holds what its
 * worker asks for while the worker is starting or active, like its slot: that is read off the state, so whatever ends an
 * attempt gives everything back. Shared by all live runs of the repository.
 */
import { isBuiltIn } from '../disk-space.ts';
import type { Capacity, ResourceMode, ResourceRequest } from '../plan.ts';
import { recentUses, requestsOf, roomAt } from './rates.ts';
import { restlessRuns } from '../restless.ts';
import { workersIn } from '../run-index.ts';
import {
  definitionOf,
  isRunLive,
  type RateUse,
  type RepositoryState,
  type RunState,
} from '../state.ts';

/** A part of a resource that a live attempt holds. */
export interface Holder {
  readonly run: string;
  readonly worker: string;
  readonly name: string;
  readonly request: ResourceRequest;
}

/** What is in use now. */
export interface InUse {
  readonly holders: readonly Holder[];
  readonly uses: readonly RateUse[];
}

/** Why a resource cannot be taken now. */
export type Lack =
  | {
      readonly kind: 'amount';
      readonly need: number;
      readonly held: number;
      readonly capacity: number;
    }
  | { readonly kind: 'mode'; readonly mode: ResourceMode; readonly holder: Holder }
  | { readonly kind: 'rate'; readonly until: number }
  /** One that has waited for long is to have it first. */
  | { readonly kind: 'reserved'; readonly run: string; readonly worker: string }
  | { readonly kind: 'space'; readonly free: number; readonly need: number }
  /** The machine has not been looked at yet. */
  | { readonly kind: 'unknown' };

export interface ResourceLack {
  readonly name: string;
  readonly lack: Lack;
}

/** What live attempts hold, and what counts in the last minute. */
export function inUse(state: RepositoryState, now: number): InUse {
  const holders = restlessRuns(state)
    .filter(isRunLive)
    .flatMap((run) =>
      workersIn(run, 'starting', 'active').flatMap((worker) => holdersOf(run, worker.id)),
    );
  return { holders, uses: recentUses(state, now) };
}

/** What is in use after the worker has started too. */
export function withStart(use: InUse, run: RunState, worker: string, now: number): InUse {
  const holders = holdersOf(run, worker);
  const uses = holders.map(({ name, request }) => ({
    at: now,
    name,
    requests: requestsOf(request),
    tokens: 0,
  }));
  return { holders: [...use.holders, ...holders], uses: [...use.uses, ...uses] };
}

/** What the worker asks for and cannot have, by name; null when it can have everything. */
export function lackOf(run: RunState, worker: string, use: InUse): ResourceLack | null {
  for (const [name, request] of Object.entries(definitionOf(run, worker).resources ?? {})) {
    const lack = lackOfOne(capacityOf(run, name), { name, request }, use);
    if (lack !== null) return { name, lack };
  }
  return null;
}

/** What there is of a resource; `amount` is undefined while the machine has not been looked at. */
export function capacityOf(
  run: Pick<RunState, 'plan' | 'machine'>,
  name: string,
): Omit<Capacity, 'amount'> & { readonly amount: number | null | undefined } {
  const { resources = {} } = run.plan.policies;
  const declared = (Object.hasOwn(resources, name) ? resources[name] : undefined) ?? unlimited;
  if (declared.amount !== null || !isBuiltIn(name)) return declared;
  return { ...declared, amount: run.machine?.[name] };
}

const unlimited: Capacity = { amount: null, requestsPerMinute: null, tokensPerMinute: null };

/** What of the resource is held. More than there is cannot be: who asks for more than there is has all of it. */
export function heldOf(name: string, capacity: number | null, holders: readonly Holder[]): number {
  const most = capacity ?? Infinity;
  return holders
    .filter((one) => one.name === name)
    .reduce((sum, { request }) => sum + Math.min(request.amount, most), 0);
}

function lackOfOne(
  { amount, ...rates }: ReturnType<typeof capacityOf>,
  { name, request }: Pick<Holder, 'name' | 'request'>,
  use: InUse,
): Lack | null {
  if (amount === undefined) return { kind: 'unknown' };
  const others = use.holders.filter((one) => one.name === name);
  const holder = others.find((one) => isBarred(request.mode, one.request.mode));
  if (holder !== undefined) return { kind: 'mode', mode: holder.request.mode, holder };
  if (amount !== null) {
    const need = Math.min(request.amount, amount);
    const held = heldOf(name, amount, others);
    if (held + need > amount + rounding) return { kind: 'amount', need, held, capacity: amount };
  }
  const uses = use.uses.filter((one) => one.name === name);
  const until = roomAt({ ...rates, amount }, request, uses);
  return until === null ? null : { kind: 'rate', until };
}

/** Sums of fractions are not exact. */
const rounding = 1e-9;

/** Whether two modes cannot be held side by side. */
export function isBarred(one: ResourceMode, other: ResourceMode): boolean {
  if (one === 'exclusive' || other === 'exclusive') return true;
  if (one === 'share' || other === 'share') return false;
  return one === 'write' || other === 'write';
}

function holdersOf(run: RunState, worker: string): readonly Holder[] {
  return Object.entries(definitionOf(run, worker).resources ?? {}).map(([name, request]) => ({
    run: run.id,
    worker,
    name,
    request,
  }));
}
