import { expect, it } from 'vitest';
import type { DomainContext } from '../context.ts';
import { requireCapacity } from './require-capacity.ts';

function contextWith(
  load: { pending: number; finished: number; windowMs: number },
  freeBytes = 100,
) {
  let asked = 0;
  const ctx = {
    clock: { monotonic: () => 0, now: () => 0 },
    settings: { taskDeadlineMs: 900_000, diskFreeMinBytes: 100 },
    freeDiskBytes: async () => freeBytes,
    store: {
      run: async () => {
        asked += 1;
        return load;
      },
    },
  } as unknown as DomainContext;
  return { ctx, asked: () => asked };
}

it('work that would wait longer than a task lives is refused, with whole seconds to wait', async () => {
  const { ctx } = contextWith({ pending: 1_000, finished: 10, windowMs: 60_000 });
  await expect(requireCapacity(ctx, 'built_in')).rejects.toMatchObject({
    code: 'capacity',
    retryAfterSeconds: 60,
  });
});

it('work that fits is taken, and so is work of unknown speed', async () => {
  await requireCapacity(
    contextWith({ pending: 100, finished: 10, windowMs: 60_000 }).ctx,
    'upstream',
  );
  await requireCapacity(
    contextWith({ pending: 9_999, finished: 0, windowMs: 60_000 }).ctx,
    'upstream',
  );
});

it('a burst of creates asks the store once', async () => {
  const { ctx, asked } = contextWith({ pending: 0, finished: 0, windowMs: 1 });
  await Promise.all(Array.from({ length: 100 }, () => requireCapacity(ctx, 'upstream')));
  expect(asked()).toBe(1);
});

it('with too little room on the disk nothing new is taken', async () => {
  const { ctx } = contextWith({ pending: 0, finished: 0, windowMs: 1_000 }, 99);
  await expect(requireCapacity(ctx, 'upstream')).rejects.toMatchObject({
    code: 'storage_unavailable',
    retryAfterSeconds: 60,
  });
});
