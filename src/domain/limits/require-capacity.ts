import { AppError } from '../../kernel/app-error.ts';
import type { DomainContext } from '../context.ts';
import type { Lane } from '../tasks/model.ts';

const WINDOW_MS = 5 * 60_000;
const CACHE_MS = 500;
const RETRY_AFTER_SECONDS_MAX = 60;

interface Estimate {
  waitMs: number;
  until: number;
}

const estimates = new WeakMap<DomainContext, Map<Lane, Estimate>>();

/**
 * Refuses a create (503 `capacity`) that would wait longer than a task may live: waiting tasks of the lane ÷
 * tasks finished lately. Without a recent finish the speed is unknown and the task is taken.
 */
export async function requireCapacity(ctx: DomainContext, lane: Lane): Promise<void> {
  await requireRoom(ctx);
  const waitMs = await estimateWait(ctx, lane);
  const deadlineMs = ctx.settings.taskDeadlineMs;
  if (waitMs <= deadlineMs) return;
  const overSeconds = Math.ceil((waitMs - deadlineMs) / 1000);
  throw new AppError(
    'capacity',
    'More work is waiting than can be done before a new task would expire. Try again later; nothing was charged.',
    { retryAfterSeconds: Math.min(RETRY_AFTER_SECONDS_MAX, Math.max(1, overSeconds)) },
  );
}

/** A picture that cannot be stored would be paid for and lost. */
async function requireRoom(ctx: DomainContext): Promise<void> {
  const free = await ctx.freeDiskBytes();
  if (free >= ctx.settings.diskFreeMinBytes) return;
  throw new AppError(
    'storage_unavailable',
    'The gateway has too little room left to store a picture. Its operator has to free some; nothing was charged.',
    { retryAfterSeconds: RETRY_AFTER_SECONDS_MAX, detail: `${free} bytes are free` },
  );
}

async function estimateWait(ctx: DomainContext, lane: Lane): Promise<number> {
  let byLane = estimates.get(ctx);
  if (!byLane) {
    byLane = new Map();
    estimates.set(ctx, byLane);
  }
  const now = ctx.clock.monotonic();
  const known = byLane.get(lane);
  if (known && known.until > now) return known.waitMs;
  // Set before the look-up, so that a burst of creates asks once.
  byLane.set(lane, { waitMs: known?.waitMs ?? 0, until: now + CACHE_MS });
  const load = await ctx.store.run('tasks.load', { lane, windowMs: WINDOW_MS });
  const waitMs = load.finished === 0 ? 0 : (load.pending / load.finished) * load.windowMs;
  byLane.set(lane, { waitMs, until: now + CACHE_MS });
  return waitMs;
}
