// The background of a node: its lease, its claim loops, its sweep.
import type { DomainContext } from '../domain/context.ts';
import type { NodeFacts } from '../domain/tasks/operations.ts';
import { sleep } from '../kernel/clock.ts';
import type { Provider } from '../providers/provider.ts';
import { startNodeLease } from './node-lease.ts';
import type { RetrySettings } from './retry-policy.ts';
import type { RunnerDeps } from './run.ts';
import { startLane } from './run-lane.ts';
import { startSweep } from './sweep.ts';

export interface RunnerSettings extends RetrySettings {
  lostMax: number;
  /** Tasks in flight at once, per lane. */
  builtInSlots: number;
  upstreamSlots: number;
  node: NodeFacts;
}

export interface Runner {
  /** An operator's `drain` was heard: nothing is claimed any more. */
  isDraining(): boolean;
  /**
   * Claims no more, gives back what was not sent, and waits up to `maxMs` for running upstream calls;
   * what still runs then stays claimed and is taken over after a restart. Aborting `now` skips the wait.
   */
  stop(options: { maxMs: number; now: AbortSignal }): Promise<void>;
}

export async function startRunner(
  ctx: DomainContext,
  providers: ReadonlyMap<string, Provider>,
  settings: RunnerSettings,
): Promise<Runner> {
  const lease = await startNodeLease(ctx, settings.node);
  const deps: RunnerDeps = { ctx, lease, providers, settings };
  const lanes = [
    startLane(deps, 'built_in', settings.builtInSlots),
    startLane(deps, 'upstream', settings.upstreamSlots),
  ];
  lease.onLost(() => {
    for (const lane of lanes) lane.abort('lease');
  });
  let isDraining = false;
  lease.onDrain(() => {
    isDraining = true;
    ctx.log.info({ nodeId: lease.nodeId() }, 'draining: no more tasks are taken');
    for (const lane of lanes) void lane.drain();
  });
  const sweep = startSweep(ctx, settings);
  return {
    isDraining: () => isDraining,
    async stop({ maxMs, now }) {
      const drained = Promise.all(lanes.map((lane) => lane.drain()));
      const waited = new AbortController();
      await Promise.race([drained, sleep(maxMs, AbortSignal.any([now, waited.signal]))]);
      waited.abort();
      for (const lane of lanes) lane.abort('now');
      await sweep.stop();
      await lease.stop();
    },
  };
}
