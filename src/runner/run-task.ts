// One claimed task from its sources to its end. Every write is fenced by the claim; whoever lost it stops.
import { chargeFor } from '../domain/pricing/index.ts';
import { type Attempt, isTerminal, type TaskFailure } from '../domain/tasks/model.ts';
import type { ClaimedTask } from '../domain/tasks/operations.ts';
import { sleep } from '../kernel/clock.ts';
import type { Provider, ProviderFailure, ProviderJob } from '../providers/provider.ts';
import { type CallResult, callProvider } from './call-provider.ts';
import { prepareJob } from './prepare-job.ts';
import { nextStep } from './retry-policy.ts';
import { addWarning, makeRun, persist, type RunnerDeps, stopReason, type TaskRun } from './run.ts';

export interface StartedTask {
  run: TaskRun;
  ended: Promise<void>;
}

export function startTask(deps: RunnerDeps, claimed: ClaimedTask): StartedTask {
  const run = makeRun(deps, claimed);
  const { ctx } = deps;
  const unsubscribe = ctx.events.subscribe(run.task.id, (news) => {
    if (news.kind === 'state' && !run.isEnding) void stopIfEnded(run);
  });
  const untilDeadlineMs = Math.max(0, claimed.remainingMs);
  const timer = setTimeout(() => run.stop.abort('deadline'), untilDeadlineMs);
  const ended = work(run)
    .catch((error: unknown) => failUnexpectedly(run, error))
    .finally(() => {
      clearTimeout(timer);
      unsubscribe();
    });
  return { run, ended };
}

/** News of a state change by somebody else: a cancel, or an end by the sweep. */
async function stopIfEnded(run: TaskRun): Promise<void> {
  const { id, accountId } = run.task;
  const task = await run.deps.ctx.store
    .run('tasks.get', { taskId: id, accountId })
    .catch(() => null);
  if (task && isTerminal(task.status)) run.stop.abort('taken');
}

async function work(run: TaskRun): Promise<void> {
  const prepared = await prepareJob(run);
  if (prepared.ok === false) return endAsFailed(run, prepared.failure);
  if (prepared.ok === null) return endStopped(run, null, null);
  for (;;) {
    const open = openAttempt(run);
    if (run.recorded.size >= run.task.outputCount) return endAsCompleted(run, undefined);
    const attempt = open ?? (await startNextAttempt(run));
    if (attempt === null) return;
    const provider = run.deps.providers.get(attempt.provider);
    if (open && !canResume(open, provider)) {
      await closeAttempt(run, attempt, 'uncertain', { class: 'uncertain', message: '' });
      continue;
    }
    if (!provider) {
      await closeAttempt(run, attempt, 'failed', { class: 'operator', message: '' });
      continue;
    }
    if (await makeAttempt(run, provider, attempt, prepared.job)) return;
  }
}

function openAttempt(run: TaskRun): Attempt | null {
  const last = run.attempts.at(-1);
  return last && (last.state === 'started' || last.state === 'submitted') ? last : null;
}

/** After a crash: by the upstream's job handle, or by asking again where that is never billed twice. */
function canResume(open: Attempt, provider: Provider | undefined): boolean {
  if (!provider) return false;
  return provider.isRepeatable || (open.handle !== null && provider.poll !== undefined);
}

/** Null: the task was ended, given back or lost instead. */
async function startNextAttempt(run: TaskRun): Promise<Attempt | null> {
  const { ctx, settings } = run.deps;
  const route = ctx.routes.providersFor(run.task.model, run.task.isLive).map(({ id }) => id);
  const step = nextStep(run.attempts, route, settings, run.lastSaid);
  if (step.kind === 'fail') {
    if (run.recorded.size > 0) await endAsCompleted(run, undefined);
    else await endAsFailed(run, step.failure);
    return null;
  }
  if (run.isDraining) run.stop.abort('shutdown');
  await sleep(step.delayMs, run.stop.signal);
  if (run.stop.signal.aborted) {
    await endStopped(run, null, null);
    return null;
  }
  run.isCalling = true;
  const { provider } = step;
  const started = await persist(run, () =>
    ctx.store.run('tasks.startAttempt', { ...run.fence, provider }),
  );
  if (!started || started.lost) {
    await endStopped(run, null, null);
    return null;
  }
  const attempt: Attempt = {
    number: started.number,
    provider,
    state: 'started',
    claim: run.fence.claim,
    handle: null,
    failureClass: null,
    detail: null,
    upstreamCost: null,
    startedAt: ctx.clock.now(),
    finishedAt: null,
  };
  run.attempts.push(attempt);
  return attempt;
}

/** True when the task's run is over. */
async function makeAttempt(
  run: TaskRun,
  provider: Provider,
  attempt: Attempt,
  prepared: Omit<ProviderJob, 'attempt' | 'missing'>,
): Promise<boolean> {
  run.isCalling = true;
  const missing = Array.from({ length: run.task.outputCount }, (_, index) => index);
  const job: ProviderJob = {
    ...prepared,
    attempt: attempt.number,
    missing: missing.filter((index) => !run.recorded.has(index)),
  };
  const result = await callProvider(run, provider, job, attempt.handle, (handle) => {
    attempt.handle = handle;
    attempt.state = 'submitted';
  });
  run.isCalling = false;
  if (result.kind === 'stopped') {
    await endStopped(run, provider, attempt);
    return true;
  }
  if (run.recorded.size > 0 && isFinal(result)) {
    await endAsCompleted(run, result.upstreamCost);
    return true;
  }
  await closeFailed(run, attempt, result);
  return false;
}

/** Nothing more will come: all done, or a refusal that no other provider would be asked about. */
function isFinal(result: Exclude<CallResult, { kind: 'stopped' }>): boolean {
  if (result.kind === 'done') return true;
  return result.failure.class !== 'try_later';
}

async function closeFailed(
  run: TaskRun,
  attempt: Attempt,
  result: Exclude<CallResult, { kind: 'stopped' }>,
): Promise<void> {
  const failure: ProviderFailure =
    result.kind === 'failed'
      ? result.failure
      : { class: 'bad_response', message: '', detail: 'ended without an output' };
  run.lastSaid = {
    message: failure.message === '' ? null : failure.message,
    retryAfterMs: failure.retryAfterMs ?? null,
  };
  const state = failure.class === 'uncertain' ? 'uncertain' : 'failed';
  await closeAttempt(run, attempt, state, failure, result.upstreamCost);
}

async function closeAttempt(
  run: TaskRun,
  attempt: Attempt,
  state: Attempt['state'],
  failure: ProviderFailure | null,
  upstreamCost?: number,
): Promise<void> {
  const { ctx } = run.deps;
  attempt.state = state;
  attempt.failureClass = failure?.class ?? null;
  if (failure) {
    const { detail } = failure;
    const about = { taskId: run.task.id, provider: attempt.provider, class: failure.class, detail };
    ctx.log.warn(about, 'an attempt failed');
  }
  await persist(run, () =>
    ctx.store.run('tasks.endAttempt', {
      taskId: run.task.id,
      attempt: attempt.number,
      state,
      failureClass: attempt.failureClass,
      detail: failure?.detail ?? null,
      upstreamCost: upstreamCost ?? null,
    }),
  );
}

async function endAsCompleted(run: TaskRun, upstreamCost: number | undefined): Promise<void> {
  const { ctx } = run.deps;
  run.isEnding = true;
  const attempt = run.attempts.at(-1);
  if (!attempt) throw new Error('a task cannot complete without an attempt');
  if (run.recorded.size < run.task.outputCount) {
    const message = `${run.recorded.size} of ${run.task.outputCount} images were made; the price is that of what was delivered.`;
    addWarning(run, { code: 'partial_outputs', message });
  }
  const written = await persist(run, () =>
    ctx.store.run('tasks.complete', {
      ...run.fence,
      accountId: run.task.accountId,
      attempt: attempt.number,
      charged: chargeFor(run.task.quote, run.recorded.size),
      outputCount: run.recorded.size,
      interpretation: run.interpretation,
      warnings: run.warnings,
      provider: attempt.provider,
      upstreamCost: upstreamCost ?? null,
    }),
  );
  if (!written) return;
  if (written.lost) return endStopped(run, null, null);
  ctx.events.publish(run.task.id, { kind: 'state' });
}

async function endAsFailed(run: TaskRun, failure: TaskFailure): Promise<void> {
  const { ctx } = run.deps;
  run.isEnding = true;
  const provider = run.attempts.at(-1)?.provider ?? null;
  const { warnings } = run;
  const written = await persist(run, () =>
    ctx.store.run('tasks.fail', {
      ...run.fence,
      accountId: run.task.accountId,
      failure,
      warnings,
      provider,
    }),
  );
  if (written && !written.lost) ctx.events.publish(run.task.id, { kind: 'state' });
}

/** The run was ended from outside, or the fence did not hold: settle what that means for the attempt. */
async function endStopped(
  run: TaskRun,
  provider: Provider | null,
  attempt: Attempt | null,
): Promise<void> {
  const { ctx } = run.deps;
  const reason = stopReason(run) ?? 'taken';
  if (reason === 'lease' || reason === 'now') return;
  if (reason === 'shutdown') {
    await persist(run, () => ctx.store.run('tasks.handBack', run.fence));
    return;
  }
  if (reason === 'taken') {
    const { id, accountId } = run.task;
    const task = await ctx.store.run('tasks.get', { taskId: id, accountId });
    // Moved to another node: its new owner resumes by the handle, which must not be cancelled.
    if (!task || !isTerminal(task.status)) return;
  }
  if (attempt) await discardAttempt(run, provider, attempt);
  if (reason === 'taken') return;
  if (run.recorded.size > 0) return endAsCompleted(run, undefined);
  const message = 'The task was not finished before its deadline. Nothing was charged.';
  await endAsFailed(run, { code: 'expired', message });
}

async function discardAttempt(
  run: TaskRun,
  provider: Provider | null,
  attempt: Attempt,
): Promise<void> {
  if (attempt.handle !== null && provider?.cancel) {
    await provider.cancel(attempt.handle).catch((error: unknown) => {
      run.deps.ctx.log.warn({ err: error, taskId: run.task.id }, 'the upstream took no cancel');
    });
  }
  await closeAttempt(run, attempt, 'discarded', null);
}

/** A bug, not an upstream's fault: the task must not hang on it. */
async function failUnexpectedly(run: TaskRun, error: unknown): Promise<void> {
  const { ctx } = run.deps;
  ctx.log.error({ err: error, taskId: run.task.id }, 'a task failed on an internal error');
  const message = 'The gateway met an internal error. Nothing was charged.';
  await endAsFailed(run, { code: 'internal_error', message }).catch((again: unknown) => {
    ctx.log.error({ err: again, taskId: run.task.id }, 'and could not be ended');
  });
}
