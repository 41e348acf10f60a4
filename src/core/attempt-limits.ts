/** What one attempt may use of the machine at once. Pure. */
import type { LimitKind } from './event-values.ts';
import type { AttemptLimits, WorkerDefinition } from './plan.ts';

/** Processes and threads of an attempt where nothing else is said: what no honest agent needs. */
export const defaultProcesses = 4_096;

/** The limits of the worker's attempts. */
export function attemptLimitsOf({ limits }: Pick<WorkerDefinition, 'limits'>): AttemptLimits {
  return limits ?? { processes: defaultProcesses, memoryBytes: null };
}

/** One sentence, without a full stop: which limit an attempt hit. */
export function overLimitText(kind: LimitKind, { processes, memoryBytes }: AttemptLimits): string {
  switch (kind) {
    case 'processes':
      return `it ran more than ${processes ?? 'its'} processes and threads (limit of limits.processes)`;
    case 'memory':
      return `it used more than ${memoryBytes === null ? 'its' : sizeText(memoryBytes)} of memory (limit of limits.memory)`;
  }
}

/** `at most 500 processes, 4 GB of memory`; null without a limit. */
export function limitsText({ processes, memoryBytes }: AttemptLimits): string | null {
  const parts = [
    ...(processes === null ? [] : [`${processes} processes and threads`]),
    ...(memoryBytes === null ? [] : [`${sizeText(memoryBytes)} of memory`]),
  ];
  return parts.length === 0 ? null : `at most ${parts.join(', ')}`;
}

/** A size in the largest unit that gives a whole number. */
export function sizeText(bytes: number): string {
  const unit = units.find(([, size]) => bytes >= size && bytes % size === 0);
  return unit === undefined ? `${bytes} B` : `${bytes / unit[1]} ${unit[0]}`;
}

const units = [
  ['GiB', 1_073_741_824],
  ['GB', 1_000_000_000],
  ['MiB', 1_048_576],
  ['MB', 1_000_000],
  ['KiB', 1_024],
  ['KB', 1_000],
] as const;
