import { AppError } from '../../kernel/app-error.ts';
import type { Actor, DomainContext } from '../context.ts';
import type { KeyRecord } from './operations.ts';

const CACHE_MS = 1000;
const CACHED_KEYS_MAX = 10_000;
const TOKEN_LENGTH_MAX = 512;

interface CachedKey {
  key: KeyRecord | null;
  until: number;
}

// One cache per context: a revoked key stops within a second, and a flood of bad keys costs one look-up each.
const caches = new WeakMap<DomainContext, Map<string, CachedKey>>();

/**
 * Who calls, by API key text (already taken from its header; null: none was sent).
 * Throws `missing_api_key` or `invalid_api_key`.
 */
export async function authenticate(ctx: DomainContext, token: string | null): Promise<Actor> {
  const text = token?.trim() ?? '';
  if (text === '') {
    throw new AppError(
      'missing_api_key',
      'No API key was sent. Send it as "Authorization: Bearer $RUNAPI_API_KEY", with the gateway key in the environment variable RUNAPI_API_KEY.',
    );
  }
  const key = text.length > TOKEN_LENGTH_MAX ? null : await findKey(ctx, ctx.hashKey(text));
  if (!key) {
    throw new AppError(
      'invalid_api_key',
      'This gateway does not know the API key that was sent. Check RUNAPI_API_KEY: it must hold a key of this gateway.',
    );
  }
  if (key.revokedAt !== null) {
    throw new AppError(
      'invalid_api_key',
      'The API key that was sent has been revoked. Put another key of this gateway into RUNAPI_API_KEY.',
    );
  }
  return { accountId: key.accountId, keyId: key.id, isLive: key.isLive };
}

async function findKey(ctx: DomainContext, hash: string): Promise<KeyRecord | null> {
  let cache = caches.get(ctx);
  if (!cache) {
    cache = new Map();
    caches.set(ctx, cache);
  }
  const now = ctx.clock.monotonic();
  const cached = cache.get(hash);
  if (cached && cached.until > now) return cached.key;
  const key = await ctx.store.run('accounts.findKey', { hash });
  if (cache.size >= CACHED_KEYS_MAX) cache.clear();
  cache.set(hash, { key, until: now + CACHE_MS });
  return key;
}
