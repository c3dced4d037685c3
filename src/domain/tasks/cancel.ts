import { AppError } from '../../kernel/app-error.ts';
import type { Actor, DomainContext } from '../context.ts';
import { getTask, taskNotFound } from './get.ts';
import { isTerminal, type Task } from './model.ts';

const HOUR_MS = 3_600_000;

/**
 * Ends a task as `canceled`, nothing charged; a terminal task is answered unchanged. A key may cancel only so
 * many running tasks an hour, because a vendor bills them all the same: beyond that `rate_limited`.
 */
export async function cancelTask(ctx: DomainContext, actor: Actor, taskId: string): Promise<Task> {
  const task = await getTask(ctx, actor, taskId);
  if (isTerminal(task.status)) return task;
  if (task.status === 'processing') await requireCancelAllowance(ctx, actor, taskId);
  const canceled = await ctx.store.run('tasks.cancel', {
    taskId,
    accountId: actor.accountId,
    message: 'The task was cancelled.',
  });
  if (!canceled) throw taskNotFound(taskId);
  if (canceled.changed) ctx.events.publish(taskId, { kind: 'state' });
  return canceled.task;
}

async function requireCancelAllowance(ctx: DomainContext, actor: Actor, taskId: string) {
  const max = ctx.settings.cancelsPerHourMax;
  const recent = await ctx.store.run('tasks.countCancelsAfterSubmit', {
    keyId: actor.keyId,
    windowMs: HOUR_MS,
  });
  if (recent < max) return;
  throw new AppError(
    'rate_limited',
    `This key has cancelled ${max} running tasks within an hour, which is its limit. The task runs on.`,
    { retryAfterSeconds: 600, taskId },
  );
}
