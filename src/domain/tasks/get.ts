import { AppError } from '../../kernel/app-error.ts';
import type { Actor, DomainContext } from '../context.ts';
import type { Task } from './model.ts';

/** The task, if it is this account's; otherwise `not_found`, without telling which. */
export async function getTask(ctx: DomainContext, actor: Actor, taskId: string): Promise<Task> {
  const task = await ctx.store.run('tasks.get', { taskId, accountId: actor.accountId });
  if (!task) throw taskNotFound(taskId);
  return task;
}

export function taskNotFound(taskId: string): AppError {
  return new AppError('not_found', `There is no task ${taskId} on this account.`);
}
