/**
 * Limits of a run: how much may go on at once, for how long and at what price, and who is told. They say nothing of
 * what the work is or what it must pass, so they are no part of a plan's revision, and change while a run is live.
 */
import type { ConfigSources } from './commands.ts';
import type { Plan, Policies } from './plan.ts';

/** The policies that are limits, by their keys in the configuration. */
const limitNames = {
  maxParallel: 'max_parallel',
  maxParallelChecks: 'max_parallel_checks',
  maxRework: 'max_rework',
  mergeQueue: 'merge_queue',
  staggerMs: 'stagger',
  agingMs: 'aging',
  budget: 'budget',
  resources: 'resources',
  diskReserveBytes: 'disk_reserve',
  prices: 'prices',
  notify: 'notify',
  checkTimeoutMs: 'check_timeout',
  graceMs: 'grace',
  maxFileBytes: 'max_file_size',
  maxWorkBytes: 'max_work_size',
} as const satisfies Partial<Record<keyof Policies, string>>;

export type LimitKey = keyof typeof limitNames;

export const limitKeys = Object.keys(limitNames).filter(isLimit);

export type RunLimits = Pick<Policies, LimitKey>;

/** What beside the files of the home a run's configuration comes from: chosen by who began it. */
export type RunSources = Omit<ConfigSources, 'userFile'>;

export const noSources: RunSources = { environment: null, variables: {}, flags: [] };

/** The limits of the policies alone. */
export function limitsOf(policies: RunLimits): RunLimits {
  return only(policies, isLimit);
}

/** The policies without their limits. */
export function withoutLimits(policies: Policies): Omit<Policies, LimitKey> {
  return only(policies, (key) => !isLimit(key));
}

/** The plan under other limits; `gone` are those that do not hold any more. */
export function underLimits(
  plan: Plan,
  limits: Partial<RunLimits>,
  gone: Iterable<LimitKey> = limitKeys,
): Plan {
  const left = new Set<string>(gone);
  const policies = only(plan.policies, (key) => !left.has(key));
  return { ...plan, policies: { ...policies, ...limits } };
}

/** Limits that differ, as they were and as they are; one that is on one side alone was or is not set. */
export interface LimitChange {
  readonly before: Partial<RunLimits>;
  readonly after: Partial<RunLimits>;
}

/** The limits that differ, as they are on each side; null when none does. */
export function limitChange(before: RunLimits, after: RunLimits): LimitChange | null {
  const changed = new Set<string>(limitKeys.filter((key) => !same(before[key], after[key])));
  if (changed.size === 0) return null;
  const differs = (key: string): boolean => changed.has(key);
  return { before: only(before, differs), after: only(after, differs) };
}

/** What changed, as `max_parallel 4 → 8`; `none` where there was or is no limit. */
export function limitTexts({ before, after }: LimitChange): readonly string[] {
  return limitKeys
    .filter((key) => before[key] !== undefined || after[key] !== undefined)
    .map((key) => `${limitNames[key]} ${text(key, before[key])} → ${text(key, after[key])}`);
}

/** Whether two plain values hold the same. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [some, others] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  return (
    some.size === others.size &&
    [...some].every(([key, value]) => others.has(key) && same(value, others.get(key)))
  );
}

function isLimit(key: string): key is LimitKey {
  return Object.hasOwn(limitNames, key);
}

function only<T extends object>(all: T, keep: (key: string) => boolean): T {
  const kept = Object.entries(all).filter(([key, value]) => value !== undefined && keep(key));
  // Optional and required keys alike: the callers say of which keys the result is.
  return Object.fromEntries(kept) as T;
}

/** Who is told, at what prices, what there is, is long: only that it changed is said. */
function text(key: LimitKey, value: unknown): string {
  if (value === undefined) return 'none';
  if (key === 'notify' || key === 'prices' || key === 'resources') return 'set';
  if (key.endsWith('Ms') && typeof value === 'number') return `${value / 1_000}s`;
  return JSON.stringify(value);
}
