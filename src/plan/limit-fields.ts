/** `limits`, of the config and of a worker: what an attempt may use of the machine at once. */
import * as z from 'zod';
import { defaultProcesses } from '../core/attempt-limits.ts';
import type { AttemptLimits } from '../core/plan.ts';
import { count, parseSize, size } from './fields.ts';

/** With less not even a shell gets anywhere, bytes. */
const leastMemory = 16_000_000;

const none = z.literal('none');

export const limitsSchema = z.strictObject({
  processes: z
    .union([count(1, 1_000_000), none], { error: () => 'expected a number of processes, or none' })
    .optional()
    .meta({ description: 'Processes and threads of an attempt at a time, or none.' }),
  memory: z
    .union(
      [
        size.refine((text) => (parseSize(text) ?? 0) >= leastMemory, 'expected at least 16MB'),
        none,
      ],
      { error: () => 'expected a size such as 4GB (at least 16MB), or none' },
    )
    .optional()
    .meta({ description: 'Memory of all processes of an attempt together, or none.' }),
});

/** Where nothing is limited. */
export const noLimits: AttemptLimits = { processes: null, memoryBytes: null };

type LimitFields = z.infer<typeof limitsSchema>;

/** What is written, over what holds otherwise. */
export function attemptLimits(
  { processes, memory }: LimitFields,
  otherwise: AttemptLimits,
): AttemptLimits {
  return {
    processes:
      processes === undefined ? otherwise.processes : processes === 'none' ? null : processes,
    memoryBytes:
      memory === undefined
        ? otherwise.memoryBytes
        : memory === 'none'
          ? null
          : (parseSize(memory) ?? null),
  };
}

/** As a definition has it: absent where they are the default. */
export function limitsField(limits: AttemptLimits): { readonly limits?: AttemptLimits } {
  const isDefault = limits.processes === defaultProcesses && limits.memoryBytes === null;
  return isDefault ? {} : { limits };
}
