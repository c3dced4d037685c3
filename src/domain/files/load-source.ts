import type { DomainContext } from '../context.ts';
import type { TaskSource } from './model.ts';

export interface LoadedSource {
  bytes: Uint8Array;
  contentType: string;
  width: number;
  height: number;
}

/** The bytes of a stored source. Throws when the blob is gone: a task's sources outlive the task's run. */
export async function loadSource(
  ctx: DomainContext,
  source: TaskSource & { kind: 'blob' },
): Promise<LoadedSource> {
  const bytes = await ctx.blobs.read(source.blobKey);
  if (!bytes) throw new Error(`the stored source ${source.blobKey} is missing`);
  const { contentType, width, height } = source;
  return { bytes, contentType, width, height };
}
