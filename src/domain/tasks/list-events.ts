import type { Actor, DomainContext } from '../context.ts';
import { getTask } from './get.ts';
import type { TaskEvent } from './operations.ts';

/** State changes of a task after `afterSeq`, oldest first. Throws `not_found`. */
export async function listTaskEvents(
  ctx: DomainContext,
  actor: Actor,
  taskId: string,
  afterSeq: number,
): Promise<readonly TaskEvent[]> {
  await getTask(ctx, actor, taskId);
  return ctx.store.run('tasks.events', { taskId, afterSeq });
}
