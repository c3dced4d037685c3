// An output on its way in: checked by decoding, brought to the promised size, stored under a key of its own,
// and recorded under the fence. Bytes that are right already are kept unchanged (DESIGN §5.4).
import { createHash } from 'node:crypto';
import { isAppError } from '../kernel/app-error.ts';
import { sleep } from '../kernel/clock.ts';
import { makeToken } from '../kernel/ids.ts';
import { normaliseImage } from '../kernel/image.ts';
import { takeTurns } from '../kernel/turns.ts';
import type { DeliveredImage, ProviderJob } from '../providers/provider.ts';
import { persist, type TaskRun } from './run.ts';

/** What a provider handed over is no readable image. */
export class BadImageError extends Error {}

/**
 * Decoding shares four threads with the disk. Without turns thousands of pictures that arrive together are all decoded
 * before the first of them is stored; one thread stays free for storing.
 */
const inTurn = takeTurns(3);

/**
 * Asks again while the store does not answer: the picture is paid for. False when the run was stopped meanwhile; what
 * was stored by then is named by nothing and swept away.
 */
async function storeBlob(run: TaskRun, key: string, bytes: Uint8Array): Promise<boolean> {
  const { ctx } = run.deps;
  const { signal } = run.stop;
  for (let waitMs = 200; !signal.aborted; waitMs = Math.min(waitMs * 2, 5_000)) {
    try {
      await ctx.blobs.put(key, bytes);
      return true;
    } catch (error) {
      if (!isAppError(error) || error.code !== 'storage_unavailable') throw error;
      ctx.log.warn(
        { taskId: run.task.id, detail: error.detail },
        'an image could not be stored; repeating it',
      );
      await sleep(waitMs, signal);
    }
  }
  return false;
}

/** Stores and records one output; resolves only when it is durable. Throws BadImageError. */
export async function deliverOutput(
  run: TaskRun,
  job: ProviderJob,
  index: number,
  image: DeliveredImage,
): Promise<void> {
  if (run.recorded.has(index) || index < 0 || index >= run.task.outputCount) return;
  const { ctx } = run.deps;
  const normalised = await inTurn(async () =>
    run.stop.signal.aborted ? 'stopped' : normaliseImage(image.bytes, job.size, job.format),
  );
  if (normalised === 'stopped') return;
  if (!normalised) throw new BadImageError('the bytes are no readable PNG, JPEG or WebP image');
  const { bytes, format } = normalised;
  const token = makeToken();
  const name = `${index}-a${job.attempt}-c${run.fence.claim}-${token.slice(0, 8)}`;
  const output = {
    index,
    token,
    blobKey: `outputs/${run.task.id}/${name}.${format}`,
    contentType: normalised.contentType,
    width: normalised.width,
    height: normalised.height,
    sizeBytes: bytes.byteLength,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    processed: normalised.processed,
  };
  if (!(await storeBlob(run, output.blobKey, bytes))) return;
  const retentionMs = ctx.settings.outputRetentionMs;
  const written = await persist(run, () =>
    ctx.store.run('tasks.recordOutput', {
      ...run.fence,
      attempt: job.attempt,
      output,
      retentionMs,
    }),
  );
  if (!written || written.lost) {
    run.stop.abort('taken');
    return;
  }
  run.recorded.set(index, output);
}
