// One attempt's conversation with its provider, from submit (or the handle of an earlier claim) to an outcome.
import { randomBytes } from 'node:crypto';
import { sleep } from '../kernel/clock.ts';
import type { JsonValue } from '../kernel/json.ts';
import type { Provider, ProviderIo, ProviderJob, ProviderOutcome } from '../providers/provider.ts';
import { BadImageError, deliverOutput } from './deliver-output.ts';
import { addWarning, persist, type TaskRun } from './run.ts';

const POLL_MS_MIN = 50;
/** A create that is not over and cannot be asked about must not be sent again as if it were a question. */
const UNPOLLABLE = {
  kind: 'failed',
  failure: { class: 'uncertain', message: '', detail: 'unfinished, and the provider has no poll' },
} as const;

/** How long a stopped provider call may take to end before it is left behind. */
const ABORT_GRACE_MS = 10_000;

export type CallResult =
  | Extract<ProviderOutcome, { kind: 'done' | 'failed' }>
  | { kind: 'stopped' };

/**
 * `handle` non-null: the upstream already works on it. The result is `stopped` when the run was ended from
 * outside; the newest handle is returned through `onHandle` either way.
 */
export async function callProvider(
  run: TaskRun,
  provider: Provider,
  job: ProviderJob,
  handle: JsonValue,
  onHandle: (handle: JsonValue) => void,
): Promise<CallResult> {
  const state: { badImage: string | null } = { badImage: null };
  const io = makeIo(run, job, state);
  const { signal } = run.stop;
  const poll = provider.poll?.bind(provider);
  let current = handle;
  let outcome: ProviderOutcome | null = null;
  for (;;) {
    if (signal.aborted) return { kind: 'stopped' };
    const isPolling = current !== null && poll !== undefined;
    outcome = await untilStopped(signal, () =>
      isPolling ? poll(current, job, io) : provider.submit(job, io),
    );
    if (signal.aborted || outcome === null) return { kind: 'stopped' };
    if (state.badImage !== null) {
      const failure = { class: 'bad_response', message: '', detail: state.badImage } as const;
      return { kind: 'failed', failure };
    }
    if (outcome.kind === 'done' || outcome.kind === 'failed') return outcome;
    if (!poll) return UNPOLLABLE;
    if (outcome.kind === 'submitted') {
      current = outcome.handle;
      onHandle(current);
      await recordHandle(run, job.attempt, current);
    } else if (outcome.progress !== undefined) {
      io.onProgress(outcome.progress);
    }
    await sleep(Math.max(POLL_MS_MIN, outcome.pollAfterMs), signal);
  }
}

async function recordHandle(run: TaskRun, attempt: number, handle: JsonValue): Promise<void> {
  const { ctx } = run.deps;
  const written = await persist(run, () =>
    ctx.store.run('tasks.recordHandle', { ...run.fence, attempt, handle }),
  );
  if (!written || written.lost) run.stop.abort('taken');
}

function makeIo(run: TaskRun, job: ProviderJob, state: { badImage: string | null }): ProviderIo {
  const { ctx } = run.deps;
  return {
    signal: run.stop.signal,
    sleep,
    async deliver(index, image) {
      try {
        await deliverOutput(run, job, index, image);
      } catch (error) {
        if (error instanceof BadImageError) state.badImage = error.message;
        throw error;
      }
    },
    onProgress(fraction) {
      ctx.events.publish(run.task.id, { kind: 'progress', fraction });
    },
    onPartial(index, image) {
      void publishPartial(run, index, image);
    },
    addWarning: (warning) => addWarning(run, warning),
  };
}

/** Previews are a courtesy: a failure to store one is logged and forgotten. */
async function publishPartial(
  run: TaskRun,
  index: number,
  image: { bytes: Uint8Array; contentType: string },
): Promise<void> {
  const { ctx } = run.deps;
  const extension = image.contentType.replace('image/', '').replace('jpeg', 'jpg');
  const file = `${randomBytes(20).toString('hex')}.${extension}`;
  try {
    await ctx.blobs.put(`partials/${file}`, image.bytes);
    const path = `/outputs/partial/${file}`;
    const { contentType } = image;
    ctx.events.publish(run.task.id, { kind: 'partial', index, path, contentType });
  } catch (error) {
    ctx.log.warn({ err: error, taskId: run.task.id }, 'a preview could not be stored');
  }
}

/**
 * Runs a provider's call. An unexpected throw counts as uncertain, because the call may have reached the
 * upstream. Null: stopped, and the call did not end within its grace.
 */
async function untilStopped(
  signal: AbortSignal,
  call: () => Promise<ProviderOutcome>,
): Promise<ProviderOutcome | null> {
  const ended = call().catch((error: unknown): ProviderOutcome => {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { kind: 'failed', failure: { class: 'uncertain', message: '', detail } };
  });
  const over = new AbortController();
  const stopped = new Promise<null>((resolve) => {
    const onAbort = () => void sleep(ABORT_GRACE_MS, over.signal).then(() => resolve(null));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true, signal: over.signal });
  });
  try {
    return await Promise.race([ended, stopped]);
  } finally {
    over.abort();
  }
}
