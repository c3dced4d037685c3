import { sleep } from '../../kernel/clock.ts';
import type { Actor, DomainContext } from '../context.ts';
import { getTask } from './get.ts';
import { isTerminal, type Task } from './model.ts';

/**
 * The task as soon as it is terminal, or as it stands after `waitMs` or when `signal` aborts.
 * Listening starts before the first read, so no end is missed between the two.
 */
export async function waitForTask(
  ctx: DomainContext,
  actor: Actor,
  taskId: string,
  options: { waitMs: number; signal: AbortSignal },
): Promise<Task> {
  const until = ctx.clock.monotonic() + options.waitMs;
  let wake = new AbortController();
  const unsubscribe = ctx.events.subscribe(taskId, (news) => {
    if (news.kind === 'state') wake.abort();
  });
  try {
    for (;;) {
      wake = new AbortController();
      const signal = AbortSignal.any([wake.signal, options.signal]);
      const task = await getTask(ctx, actor, taskId);
      const leftMs = until - ctx.clock.monotonic();
      if (isTerminal(task.status) || leftMs <= 0 || options.signal.aborted) return task;
      await sleep(leftMs, signal);
    }
  } finally {
    unsubscribe();
  }
}
