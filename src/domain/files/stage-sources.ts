import type { DomainContext } from '../context.ts';
import { findOutput } from './find-output.ts';
import type { TaskSource } from './model.ts';
import { storeSource } from './source-image.ts';

const OUTPUT_PATH = /^\/outputs\/([A-Za-z0-9_-]+)\.(?:png|jpe?g|webp)$/;

/** A source that cannot be taken at accept; `message` follows the field's name in the answer. */
export class SourceError extends Error {}

/**
 * Turns a caller's source URL into what the task keeps: `data:` and own URLs are decoded, checked and
 * stored now; other http(s) URLs are kept to be fetched once when the task runs. Throws SourceError.
 */
export async function stageSources(
  ctx: DomainContext,
  urls: readonly string[],
): Promise<readonly TaskSource[]> {
  const staged: TaskSource[] = [];
  for (const url of urls) staged.push(await stageSource(ctx, url));
  return staged;
}

async function stageSource(ctx: DomainContext, url: string): Promise<TaskSource> {
  if (/^data:/i.test(url)) {
    const bytes = decodeDataUrl(url);
    const stored = bytes && (await storeSource(ctx, bytes));
    if (!stored) throw new SourceError('is not a readable PNG, JPEG or WebP image');
    return stored;
  }
  const token = ownOutputToken(url, ctx.settings.publicUrl);
  if (token === null) return { kind: 'url', url };
  const found = await findOutput(ctx, token);
  if (!found) throw new SourceError('is a URL of this gateway that names no image');
  if (found.expired) throw new SourceError('is a URL of this gateway that has expired');
  const bytes = await ctx.blobs.read(found.output.blobKey);
  const stored = bytes && (await storeSource(ctx, bytes));
  if (!stored) throw new SourceError('is a URL of this gateway that has expired');
  return stored;
}

/** The output token of a URL on this gateway's own origin and path, never looked up over the network. */
function ownOutputToken(url: string, publicUrl: string): string | null {
  const parsed = new URL(url);
  const own = new URL(publicUrl);
  if (parsed.origin !== own.origin) return null;
  const prefix = own.pathname.replace(/\/$/, '');
  if (!parsed.pathname.startsWith(prefix)) return null;
  return OUTPUT_PATH.exec(parsed.pathname.slice(prefix.length))?.[1] ?? null;
}

/** The bytes of a `data:` URL (RFC 2397), base64 or percent-encoded; null when it is malformed. */
export function decodeDataUrl(url: string): Uint8Array | null {
  const comma = url.indexOf(',');
  if (comma < 0) return null;
  const isBase64 = /;\s*base64\s*$/i.test(url.slice(0, comma));
  const payload = url.slice(comma + 1);
  try {
    if (!isBase64) return Buffer.from(decodeURIComponent(payload), 'latin1');
    const text = payload.includes('%') ? decodeURIComponent(payload) : payload;
    return Buffer.from(text, 'base64');
  } catch {
    return null;
  }
}
