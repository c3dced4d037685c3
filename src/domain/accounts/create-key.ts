import { AppError } from '../../kernel/app-error.ts';
import { makeUuid } from '../../kernel/ids.ts';
import type { DomainContext } from '../context.ts';
import { makeKeyText, SHOWN_PREFIX_LENGTH } from './key-text.ts';
import type { KeyLimits, Scope } from './operations.ts';

export interface CreateKeyInput {
  accountId: number;
  name: string;
  owner: string | null;
  isLive: boolean;
  scopes: readonly Scope[];
  limits: KeyLimits;
  expiresInMs: number | null;
  actor: string;
}

/** Makes a key; its text is in the answer and nowhere else. */
export async function createKey(
  ctx: Pick<DomainContext, 'store' | 'clock' | 'hashKey'>,
  input: CreateKeyInput,
): Promise<{ id: string; key: string }> {
  const key = makeKeyText(input.isLive);
  const id = makeUuid(ctx.clock.now());
  const prefix = key.slice(0, SHOWN_PREFIX_LENGTH + (input.isLive ? 0 : 5));
  const made = await ctx.store.run('keys.create', {
    ...input,
    keyId: id,
    hash: ctx.hashKey(key),
    prefix,
  });
  if (made.found) return { id, key };
  throw new AppError(
    'not_found',
    `There is no account ${input.accountId}. See: runapi-gateway accounts list`,
  );
}
