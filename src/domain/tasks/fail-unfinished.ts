import type { DomainContext } from '../context.ts';

const BATCH = 256;

/**
 * Ends every task that a restored store still holds as waiting or running. The original may have run on after the
 * backup: to run them here would pay the upstreams again.
 */
export async function failUnfinishedTasks({
  store,
}: Pick<DomainContext, 'store'>): Promise<{ failed: number; completed: number }> {
  const counts = { failed: 0, completed: 0 };
  for (;;) {
    const ended = await store.run('tasks.failUnfinished', {
      limit: BATCH,
      message:
        'The gateway was restored from a backup before this task was finished. Nothing was charged; send it again.',
    });
    if (ended.length === 0) return counts;
    for (const { status } of ended) counts[status === 'completed' ? 'completed' : 'failed'] += 1;
  }
}
