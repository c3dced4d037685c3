import { makeUuid } from '../../kernel/ids.ts';
import { inspectImage } from '../../kernel/image.ts';
import type { DomainContext } from '../context.ts';
import type { TaskSource } from './model.ts';

/** Largest source image (contract §1.8, ours). */
export const SOURCE_BYTES_MAX = 50 * 1024 * 1024;

/** Checks source bytes by decoding them and stores them; null when they are no readable image. */
export async function storeSource(
  ctx: DomainContext,
  bytes: Uint8Array,
): Promise<(TaskSource & { kind: 'blob' }) | null> {
  const facts = bytes.byteLength > SOURCE_BYTES_MAX ? null : await inspectImage(bytes);
  if (!facts) return null;
  const blobKey = `sources/${makeUuid(ctx.clock.now())}.${facts.format}`;
  await ctx.blobs.put(blobKey, bytes);
  return {
    kind: 'blob',
    blobKey,
    contentType: facts.contentType,
    width: facts.width,
    height: facts.height,
  };
}
