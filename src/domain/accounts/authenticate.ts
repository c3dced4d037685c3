import { AppError } from '../../kernel/app-error.ts';
import type { Actor, DomainContext } from '../context.ts';
import type { KeyRecord } from './operations.ts';

const CACHE_MS = 1000;
const CACHED_KEYS_MAX = 10_000;
const TOKEN_LENGTH_MAX = 512;
const TOUCH_MS = 60_000;

/** What people put here by mistake; never what decides whether a key is good. */
const VENDOR_KEYS: readonly { looks: RegExp; name: string; setting: string }[] = [
  { looks: /^sk-ant-/, name: 'Anthropic', setting: 'a provider' },
  { looks: /^sk-/, name: 'OpenAI', setting: 'OPENAI_API_KEY' },
  { looks: /^AIza/, name: 'Google', setting: 'a provider' },
  { looks: /^r8_/, name: 'Replicate', setting: 'a provider' },
  { looks: /^[0-9a-f-]{36}:[0-9a-f]{32}$/, name: 'fal', setting: 'a provider' },
];

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
  const vendor = VENDOR_KEYS.find(({ looks }) => looks.test(text));
  const key = text.length > TOKEN_LENGTH_MAX ? null : await findKey(ctx, ctx.hashKey(text));
  if (!key && vendor) {
    throw new AppError(
      'invalid_api_key',
      `The API key that was sent looks like one of ${vendor.name}. Such a key goes into the settings of the gateway (its operator sets ${vendor.setting}), not here: send a key of this gateway, in RUNAPI_API_KEY.`,
    );
  }
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
  if (key.isExpired) {
    throw new AppError(
      'invalid_api_key',
      'The API key that was sent has expired. Put another key of this gateway into RUNAPI_API_KEY.',
    );
  }
  const { accountId, id: keyId, isLive, scopes } = key;
  return { accountId, keyId, isLive, scopes };
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
  if (key) touch(ctx, key);
  if (cache.size >= CACHED_KEYS_MAX) cache.clear();
  cache.set(hash, { key, until: now + CACHE_MS });
  return key;
}

/** Told to the minute, and never waited for. */
function touch(ctx: DomainContext, key: KeyRecord): void {
  if (key.lastUsedAt !== null && ctx.clock.now() - key.lastUsedAt < TOUCH_MS) return;
  ctx.store.run('keys.touch', { keyId: key.id }).catch((error: unknown) => {
    ctx.log.debug({ err: error }, 'a key was used, which could not be noted');
  });
}
