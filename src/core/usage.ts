/** Sums of usage. */
import type { Usage } from './events.ts';

/** Before anything was told. */
export const noUsage: Usage = { input: 0, output: 0, cached: 0, costUsd: 0 };

/** Two usages together. */
export function sum(one: Usage, other: Usage): Usage {
  return {
    input: one.input + other.input,
    output: one.output + other.output,
    cached: one.cached + other.cached,
    costUsd: one.costUsd + other.costUsd,
  };
}

/** What of a total had not been told; what was told is never taken back. */
export function since(told: Usage, total: Usage): Usage {
  return {
    input: Math.max(0, total.input - told.input),
    output: Math.max(0, total.output - told.output),
    cached: Math.max(0, total.cached - told.cached),
    costUsd: Math.max(0, total.costUsd - told.costUsd),
  };
}
