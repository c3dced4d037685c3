// This process's right to work on tasks: one lease row, renewed by the database's clock and counted locally
// from before each renewal was sent, so that this node stops before the database gives its tasks away.
import type { DomainContext } from '../domain/context.ts';
import type { NodeFacts } from '../domain/tasks/operations.ts';
import { sleep } from '../kernel/clock.ts';
import { makeUuid } from '../kernel/ids.ts';

export const LEASE_MS = 15_000;
const RENEW_MS = 3_000;

export interface NodeLease {
  /** Changes when a lease was lost and a new one taken. */
  nodeId(): string;
  /** True from two thirds of the lease on without a renewal: claim nothing, finish nothing. */
  isFenced(): boolean;
  /** Called when the lease was lost: everything claimed under the old id belongs to others. */
  onLost(listener: () => void): void;
  /** Called once, when an operator wants this node to take no more work. */
  onDrain(listener: () => void): void;
  stop(): Promise<void>;
}

export async function startNodeLease(ctx: DomainContext, facts: NodeFacts): Promise<NodeLease> {
  const stopping = new AbortController();
  const listeners: (() => void)[] = [];
  let drainListeners: (() => void)[] = [];
  let nodeId = '';
  let safeUntil = 0;

  async function take(): Promise<void> {
    const sentAt = ctx.clock.monotonic();
    nodeId = makeUuid(ctx.clock.now());
    await ctx.store.run('nodes.start', { nodeId, leaseMs: LEASE_MS, ...facts });
    safeUntil = sentAt + (LEASE_MS * 2) / 3;
  }

  async function renew(): Promise<void> {
    const sentAt = ctx.clock.monotonic();
    const { lost, isDraining } = await ctx.store.run('nodes.renew', { nodeId, leaseMs: LEASE_MS });
    if (isDraining) {
      for (const listener of drainListeners) listener();
      drainListeners = [];
    }
    if (!lost) {
      safeUntil = sentAt + (LEASE_MS * 2) / 3;
      return;
    }
    ctx.log.warn({ nodeId }, 'the node lease ran out; its tasks go to other nodes');
    for (const listener of listeners) listener();
    await take();
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sleep(RENEW_MS, stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        await renew();
      } catch (error) {
        ctx.log.warn({ err: error, nodeId }, 'the node lease could not be renewed');
      }
    }
  }

  await take();
  const running = loop();
  return {
    nodeId: () => nodeId,
    isFenced: () => ctx.clock.monotonic() > safeUntil,
    onLost: (listener) => listeners.push(listener),
    onDrain: (listener) => drainListeners.push(listener),
    async stop() {
      stopping.abort();
      await running;
      await ctx.store.run('nodes.stop', { nodeId });
    },
  };
}
