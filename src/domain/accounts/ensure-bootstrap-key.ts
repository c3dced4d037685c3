import { randomBytes } from 'node:crypto';
import { makeUuid } from '../../kernel/ids.ts';
import type { DomainContext } from '../context.ts';

const SANDBOX_PREFIX = 'runapi_test_';
const SHOWN_PREFIX_LENGTH = 11;

/** A new live key: `runapi_` + 200 random bits. */
export function makeKeyText(): string {
  return `runapi_${randomBytes(25).toString('base64url')}`;
}

/**
 * Makes sure that an account with a key exists. With `keyText` (configuration) that very key is ensured at
 * each start; without it a key is made once, when there is none yet, and returned to be shown.
 */
export async function ensureBootstrapKey(
  ctx: Pick<DomainContext, 'store' | 'clock' | 'hashKey'>,
  keyText: string | null,
): Promise<{ newKey: string | null }> {
  const text = keyText ?? makeKeyText();
  const ensured = await ctx.store.run('accounts.ensureKey', {
    accountName: 'Demo User',
    email: 'demo@example.com',
    billing: 'track',
    keyId: makeUuid(ctx.clock.now()),
    keyName: keyText === null ? 'first key' : 'bootstrap key',
    hash: ctx.hashKey(text),
    prefix: text.slice(0, SHOWN_PREFIX_LENGTH),
    isLive: !text.startsWith(SANDBOX_PREFIX),
    isOnlyFirst: keyText === null,
  });
  return { newKey: keyText === null && ensured?.created ? text : null };
}
