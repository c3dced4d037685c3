import { makeUuid } from '../../kernel/ids.ts';
import { centsToMicroCents, type MicroCents } from '../../kernel/money.ts';
import type { DomainContext } from '../context.ts';
import { makeKeyText, SANDBOX_PREFIX, SHOWN_PREFIX_LENGTH } from './key-text.ts';
import { SCOPES } from './operations.ts';

const FIRST_BALANCE = centsToMicroCents(5000);

/**
 * Makes sure that an account with a key exists. With `keyText` (configuration) that very key is ensured at
 * each start; without it a key is made once, when there is none yet, and returned to be shown. `balance` is given to the
 * account once; an account without one pays for its own use (`track`).
 */
export async function ensureBootstrapKey(
  ctx: Pick<DomainContext, 'store' | 'clock' | 'hashKey'>,
  keyText: string | null,
  balance: MicroCents | null,
): Promise<{ newKey: string | null }> {
  const text = keyText ?? makeKeyText();
  const ensured = await ctx.store.run('accounts.ensureKey', {
    accountName: 'Demo User',
    email: 'demo@example.com',
    billing: balance === null ? 'track' : 'prepaid',
    keyId: makeUuid(ctx.clock.now()),
    keyName: keyText === null ? 'first key' : 'bootstrap key',
    hash: ctx.hashKey(text),
    prefix: text.slice(0, SHOWN_PREFIX_LENGTH),
    isLive: !text.startsWith(SANDBOX_PREFIX),
    scopes: SCOPES,
    grant: balance ?? (keyText === null ? FIRST_BALANCE : 0),
    isOnlyFirst: keyText === null,
  });
  return { newKey: keyText === null && ensured?.created ? text : null };
}
