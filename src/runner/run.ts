// What one claimed task carries with it while it runs, and the ways its work can be ended from outside.
import type { DomainContext } from '../domain/context.ts';
import type { Attempt, Interpretation, OutputImage, Task, Warning } from '../domain/tasks/model.ts';
import type { ClaimedTask, Fence } from '../domain/tasks/operations.ts';
import { isAppError } from '../kernel/app-error.ts';
import { sleep } from '../kernel/clock.ts';
import type { Provider } from '../providers/provider.ts';
import type { NodeLease } from './node-lease.ts';
import type { RetrySettings } from './retry-policy.ts';

export interface RunnerDeps {
  ctx: DomainContext;
  lease: NodeLease;
  providers: ReadonlyMap<string, Provider>;
  settings: RetrySettings & { lostMax: number };
}

/**
 * `taken`: the task ended or moved elsewhere, look at it; `deadline`: its time is over; `lease`: this node
 * may not finish it; `shutdown`: not started, give it back; `now`: the process ends at once.
 */
export type StopReason = 'taken' | 'deadline' | 'lease' | 'shutdown' | 'now';

export interface TaskRun {
  deps: RunnerDeps;
  fence: Fence;
  task: Task;
  input: ClaimedTask['input'];
  attempts: Attempt[];
  /** Outputs on record, by index, whichever attempt brought them. */
  recorded: Map<number, Omit<OutputImage, 'expiresAt'>>;
  interpretation: Interpretation;
  warnings: Warning[];
  stop: AbortController;
  /** What the last provider said for the caller; attempt rows are for operators. */
  lastSaid: { message: string | null; retryAfterMs: number | null };
  /** An upstream call is under way: a graceful shutdown lets it end. */
  isCalling: boolean;
  /** This run is writing the task's end itself: news of it is none. */
  isEnding: boolean;
  /** A graceful shutdown began: start no further attempt. */
  isDraining: boolean;
}

export function makeRun(deps: RunnerDeps, claimed: ClaimedTask): TaskRun {
  const { task, claim, input, attempts } = claimed;
  return {
    deps,
    fence: { taskId: task.id, nodeId: deps.lease.nodeId(), claim },
    task,
    input,
    attempts: [...attempts],
    recorded: new Map(task.outputs.map((output) => [output.index, output])),
    interpretation: task.interpretation,
    warnings: [...task.warnings],
    stop: new AbortController(),
    lastSaid: { message: null, retryAfterMs: null },
    isCalling: false,
    isEnding: false,
    isDraining: false,
  };
}

export function stopReason(run: TaskRun): StopReason | null {
  return run.stop.signal.aborted ? (run.stop.signal.reason as StopReason) : null;
}

/** Adds a warning once per code. */
export function addWarning(run: TaskRun, warning: Warning): void {
  if (run.warnings.some(({ code }) => code === warning.code)) return;
  run.warnings.push(warning);
}

/**
 * Repeats a write until the store answers: an unanswered finish is asked again under the same claim. Gives
 * up only when this node may no longer write.
 */
export async function persist<T>(run: TaskRun, write: () => Promise<T>): Promise<T | null> {
  for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 2_000)) {
    const reason = stopReason(run);
    if (reason === 'lease' || reason === 'now') return null;
    try {
      if (!run.deps.lease.isFenced()) return await write();
    } catch (error) {
      if (!isAppError(error) || error.code !== 'storage_unavailable') throw error;
      run.deps.ctx.log.warn(
        { taskId: run.task.id },
        'the store did not take a write; repeating it',
      );
    }
    await sleep(waitMs);
  }
}
