// The safety net: ends what nobody works on any more, and deletes what no row names.
import type { DomainContext } from '../domain/context.ts';
import type { Task } from '../domain/tasks/model.ts';
import { sleep } from '../kernel/clock.ts';

const TICK_MS = 1_000;
const HOUSEKEEPING_MS = 60_000;
/** Looking through every blob is work that grows with the store. */
const ORPHANS_MS = 3_600_000;
const DEADLINE_GRACE_MS = 5_000;
const BATCH = 256;
const PARTIAL_LIFE_MS = 10 * 60_000;
const ORPHAN_AGE_MS = 24 * 3_600_000;
/** Prompts and sources outlive their task a little, so that a failure can be looked into. */
const INPUT_RETENTION_MS = 7 * 24 * 3_600_000;

export function startSweep(ctx: DomainContext, settings: { lostMax: number }) {
  const stopping = new AbortController();

  async function loop(): Promise<void> {
    let housekeepingAt = ctx.clock.monotonic() + HOUSEKEEPING_MS;
    let orphansAt = ctx.clock.monotonic() + ORPHANS_MS;
    while (!stopping.signal.aborted) {
      await attempt(ctx, () => endAbandoned(ctx, settings.lostMax));
      if (ctx.clock.monotonic() >= housekeepingAt) {
        housekeepingAt = ctx.clock.monotonic() + HOUSEKEEPING_MS;
        await attempt(ctx, () => deleteExpired(ctx));
      }
      if (ctx.clock.monotonic() >= orphansAt) {
        orphansAt = ctx.clock.monotonic() + ORPHANS_MS;
        await attempt(ctx, () => deleteUnnamed(ctx));
      }
      await sleep(TICK_MS, stopping.signal);
    }
  }

  const running = loop();
  return {
    async stop(): Promise<void> {
      stopping.abort();
      await running;
    },
  };
}

async function attempt(ctx: DomainContext, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    ctx.log.warn({ err: error }, 'a sweep did not finish');
  }
}

/** Fails tasks that were lost too often, and ends those past their deadline without a living owner. */
export async function endAbandoned(ctx: DomainContext, lostMax: number): Promise<void> {
  const ended: Task[] = [];
  ended.push(
    ...(await ctx.store.run('tasks.failLost', {
      lostMax,
      limit: BATCH,
      message: 'The gateway lost this task several times while running it. Nothing was charged.',
    })),
    ...(await ctx.store.run('tasks.expireOverdue', {
      graceMs: DEADLINE_GRACE_MS,
      limit: BATCH,
      message: 'The task was not finished before its deadline. Nothing was charged.',
    })),
  );
  for (const task of ended) ctx.events.publish(task.id, { kind: 'state' });
}

/** Deletes expired outputs, erased inputs and old previews. */
export async function deleteExpired(ctx: DomainContext): Promise<void> {
  const { blobs, store } = ctx;
  const keys = [
    ...(await store.run('outputs.expire', { limit: BATCH })),
    ...(await store.run('inputs.erase', { afterMs: INPUT_RETENTION_MS, limit: BATCH })),
  ];
  for (const key of keys) await blobs.delete(key);
  const now = ctx.clock.now();
  for await (const { key, modifiedAt } of blobs.list('partials/')) {
    if (modifiedAt < now - PARTIAL_LIFE_MS) await blobs.delete(key);
  }
}

/** Deletes blobs that no row has named for a day: left by a crash, or by an attempt that lost its claim. */
export async function deleteUnnamed(ctx: DomainContext): Promise<void> {
  const now = ctx.clock.now();
  for (const prefix of ['outputs/', 'sources/']) {
    let old: string[] = [];
    for await (const { key, modifiedAt } of ctx.blobs.list(prefix)) {
      if (modifiedAt < now - ORPHAN_AGE_MS) old.push(key);
      if (old.length < BATCH) continue;
      await deleteOrphans(ctx, old);
      old = [];
    }
    await deleteOrphans(ctx, old);
  }
}

async function deleteOrphans(ctx: DomainContext, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  const named = new Set(await ctx.store.run('blobs.named', { keys }));
  for (const key of keys) if (!named.has(key)) await ctx.blobs.delete(key);
}
