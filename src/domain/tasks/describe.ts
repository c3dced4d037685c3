import type { DomainContext } from '../context.ts';
import { taskNotFound } from './get.ts';
import type { Attempt, Task } from './model.ts';
import type { TaskEvent } from './operations.ts';

export interface TaskTrace {
  task: Task;
  attempts: readonly Attempt[];
  events: readonly TaskEvent[];
}

/** A task of any account with its attempts and events, for operators. Throws `not_found`. */
export async function describeTask(ctx: DomainContext, taskId: string): Promise<TaskTrace> {
  const [task, attempts, events] = await Promise.all([
    ctx.store.run('tasks.get', { taskId, accountId: null }),
    ctx.store.run('tasks.attempts', { taskId }),
    ctx.store.run('tasks.events', { taskId, afterSeq: 0 }),
  ]);
  if (!task) throw taskNotFound(taskId);
  return { task, attempts, events };
}
