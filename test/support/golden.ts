/** Golden logs: where they are, and state as plain values. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RepositoryState } from '../../src/core/state.ts';
import { activityKept } from '../../src/core/evolve/worker-parts.ts';
import type { StoredEvent } from '../../src/journal/codec.ts';

/** A golden log: its events as they were stored, with their hashes, and the state that they fold to. */
export interface GoldenLog {
  readonly name: string;
  readonly rows: readonly (StoredEvent & { readonly hash: string })[];
  readonly state: unknown;
}

const folder = join(import.meta.dirname, '../golden');

/** Every golden log, oldest first. */
export function goldenLogs(): readonly GoldenLog[] {
  const names = readdirSync(folder).flatMap((file) => /^(.*)\.jsonl$/.exec(file)?.[1] ?? []);
  return names
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .map((name) => {
      const lines = readFileSync(join(folder, `${name}.jsonl`), 'utf8')
        .trimEnd()
        .split('\n');
      const rows = lines.map((line) => {
        const row: any = JSON.parse(line);
        return { ...row, data: JSON.stringify(row.data) };
      });
      const state: unknown = JSON.parse(readFileSync(join(folder, `${name}.state.json`), 'utf8'));
      return { name, rows, state };
    });
}

/** The state as JSON has it: maps are lists of pairs, in their order. */
export function plainState(state: RepositoryState): unknown {
  return JSON.parse(
    JSON.stringify(state, (_key, value: unknown) => (value instanceof Map ? [...value] : value)),
  );
}

/**
 * Where `actual` lacks or contradicts something of `expected`, as a path; null when it has all of it. What a later
 * version adds to the state is no difference, nor how many of a worker's last lines it keeps.
 */
export function difference(expected: unknown, actual: unknown, path = 'state'): string | null {
  if (typeof expected !== 'object' || expected === null)
    return Object.is(expected, actual) ? null : path;
  if (typeof actual !== 'object' || actual === null) return path;
  if (Array.isArray(expected) !== Array.isArray(actual)) return path;
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length !== actual.length)
    return `${path}.length`;
  for (const [key, value] of Object.entries(expected)) {
    if (!Object.hasOwn(actual, key)) return `${path}.${key}`;
    const kept = key === 'latest' && Array.isArray(value) ? value.slice(-activityKept) : value;
    const found = difference(kept, Reflect.get(actual, key), `${path}.${key}`);
    if (found !== null) return found;
  }
  return null;
}
