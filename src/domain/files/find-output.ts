import type { DomainContext } from '../context.ts';
import type { OutputImage } from './model.ts';

const TOKEN = /^[A-Za-z0-9_-]{20,64}$/;

/** The stored output behind a URL token; null when there never was one. Needs no key: the token is the right. */
export async function findOutput(
  ctx: DomainContext,
  token: string,
): Promise<{ output: OutputImage; expired: boolean } | null> {
  if (!TOKEN.test(token)) return null;
  return ctx.store.run('outputs.find', { token });
}
