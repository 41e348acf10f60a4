/** The tasks of a worker: those of its definition, and those that its agent reports beside them. */
import type { TaskState } from '../state.ts';

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

/** The tasks with what an agent calls one of them; a new list of its begins with the same names. */
export function nameTask(
  tasks: readonly TaskState[],
  task: string,
  ref: string,
): readonly TaskState[] {
  return touchTask(tasks, task, {}).map(({ ref: before, ...one }) => {
    if (one.task.trim() === task.trim()) return { ...one, ref };
    return before === undefined || before === ref ? one : { ...one, ref: before };
  });
}
