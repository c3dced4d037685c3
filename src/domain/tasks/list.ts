import { AppError } from '../../kernel/app-error.ts';
import type { Actor, DomainContext } from '../context.ts';
import type { Task } from './model.ts';

/** Tasks of the account, newest first; an `after` that is not one of them is `invalid_request`. */
export async function listTasks(
  ctx: DomainContext,
  actor: Actor,
  query: { after: string | null; limit: number; clientRequestId: string | null },
): Promise<{ tasks: readonly Task[]; hasMore: boolean }> {
  const page = await ctx.store.run('tasks.list', { accountId: actor.accountId, ...query });
  if (!page) {
    const sentence = 'after must be the id of one of your tasks';
    throw new AppError('invalid_request', sentence, { fields: { after: [sentence] } });
  }
  return page;
}
