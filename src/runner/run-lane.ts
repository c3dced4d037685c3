// The claim loop of one lane: claims what fits its free slots, whenever it is nudged and once a second.
import type { Lane } from '../domain/tasks/model.ts';
import { sleep } from '../kernel/clock.ts';
import type { RunnerDeps, StopReason } from './run.ts';
import { type StartedTask, startTask } from './run-task.ts';

const POLL_MS = 1_000;
const CLAIM_MAX = 256;

export interface LaneLoop {
  /** Stops claiming, gives back what was not sent, and resolves when the running calls have ended. */
  drain(): Promise<void>;
  /** Ends everything at once for the given reason. */
  abort(reason: StopReason): void;
}

export function startLane(deps: RunnerDeps, lane: Lane, slots: number): LaneLoop {
  const { ctx, lease, settings } = deps;
  const running = new Set<StartedTask>();
  const stopping = new AbortController();
  let wake = new AbortController();
  const offNudge = ctx.events.onNudge(() => wake.abort());

  function start(task: StartedTask): void {
    running.add(task);
    void task.ended.finally(() => {
      running.delete(task);
      wake.abort();
    });
  }

  /** True when there may be more to claim at once. */
  async function claim(): Promise<boolean> {
    const limit = Math.min(CLAIM_MAX, slots - running.size);
    if (limit <= 0 || lease.isFenced()) return false;
    const nodeId = lease.nodeId();
    const { lostMax } = settings;
    const claimed = await ctx.store.run('tasks.claim', { nodeId, lane, limit, lostMax });
    for (const one of claimed) {
      // Told before this run listens: the news of its own start is none to it.
      ctx.events.publish(one.task.id, { kind: 'state' });
      start(startTask(deps, one));
    }
    return claimed.length === limit;
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      wake = new AbortController();
      try {
        if (await claim()) continue;
      } catch (error) {
        ctx.log.warn({ err: error, lane }, 'tasks could not be claimed');
      }
      await sleep(POLL_MS, AbortSignal.any([wake.signal, stopping.signal]));
    }
  }

  const looping = loop();
  return {
    async drain() {
      stopping.abort();
      offNudge();
      await looping;
      for (const { run } of running) {
        run.isDraining = true;
        if (!run.isCalling) run.stop.abort('shutdown');
      }
      await Promise.all([...running].map(({ ended }) => ended));
    },
    abort(reason) {
      for (const { run } of running) run.stop.abort(reason);
    },
  };
}
