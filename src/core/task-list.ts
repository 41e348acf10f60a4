/** The tasks of a worker: those of its definition, and those that its agent reports beside them. */
import type { TaskState } from './state.ts';

/** The tasks with the times of one set; a task that was not known is added. */
export function touchTask(
  tasks: readonly TaskState[],
  task: string,
  times: { readonly startedAt?: number; readonly completedAt?: number },
): readonly TaskState[] {
  const known = tasks.findIndex((one) => one.task.trim() === task.trim());
  if (known < 0) return [...tasks, { task, startedAt: null, completedAt: null, ...times }];
  return tasks.map((one, index) => (index === known ? { ...one, ...times } : one));
}
