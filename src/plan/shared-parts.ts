/** Workers of a large plan are mostly alike: what is equal in them is held once. */
import { same } from '../core/limits.ts';
import type { WorkerDefinition } from '../core/plan.ts';

/** The parts of a definition that are equal in another one, as they are there. */
export function sharedParts(
  definition: WorkerDefinition,
  like: WorkerDefinition | undefined,
): Partial<WorkerDefinition> {
  const others = new Map<string, unknown>(Object.entries(like ?? {}));
  return Object.fromEntries(
    Object.entries(definition).flatMap(([key, part]) => {
      const other = others.get(key);
      const isAlike =
        typeof part === 'string' ? part === other : part !== other && same(part, other);
      return isAlike ? [[key, other]] : [];
    }),
  );
}
