import type { DomainContext } from '../context.ts';
import type { TaskSource } from './model.ts';
import { SOURCE_BYTES_MAX, storeSource } from './source-image.ts';

const FETCH_TIMEOUT_MS = 60_000;

export type FetchedSources =
  | { ok: true; sources: readonly (TaskSource & { kind: 'blob' })[] }
  | {
      ok: false;
      code: 'source_unreachable' | 'source_invalid';
      /** For the caller. */
      message: string;
      /** For the operator's log. */
      reason: string;
    };

/** Fetches the URL sources of a task, once; a source that cannot be had fails the task, nothing charged. */
export async function fetchSources(
  ctx: DomainContext,
  sources: readonly TaskSource[],
  field: string,
  signal: AbortSignal,
): Promise<FetchedSources> {
  const fetched: (TaskSource & { kind: 'blob' })[] = [];
  for (const [index, source] of sources.entries()) {
    if (source.kind === 'blob') {
      fetched.push(source);
      continue;
    }
    const name = field === 'mask_url' ? field : `${field}[${index}]`;
    const answer = await ctx.outbound.fetchBytes(source.url, {
      bytesMax: SOURCE_BYTES_MAX,
      timeoutMs: FETCH_TIMEOUT_MS,
      signal,
    });
    if (!answer.ok) {
      const message = `${name} could not be downloaded.`;
      return { ok: false, code: 'source_unreachable', message, reason: answer.reason };
    }
    const stored = await storeSource(ctx, answer.bytes);
    if (!stored) {
      const message = `${name} is not a readable PNG, JPEG or WebP image of at most 40 megapixels.`;
      return { ok: false, code: 'source_invalid', message, reason: 'not decodable' };
    }
    fetched.push(stored);
  }
  return { ok: true, sources: fetched };
}
