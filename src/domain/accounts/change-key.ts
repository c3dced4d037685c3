import { AppError } from '../../kernel/app-error.ts';
import type { DomainContext } from '../context.ts';
import { createKey } from './create-key.ts';
import type { KeyRecord } from './operations.ts';

/** A key by id, by name or by its shown prefix; what fits several names none. */
export async function findKeyByName(
  ctx: Pick<DomainContext, 'store'>,
  text: string,
): Promise<KeyRecord> {
  const keys = await ctx.store.run('keys.list', { accountId: null });
  const fitting = keys.filter((key) => [key.id, key.name, key.prefix].includes(text));
  const [key] = fitting;
  if (key && fitting.length === 1) return key;
  const what = key ? `${fitting.length} keys are called ${text}` : `There is no key ${text}`;
  throw new AppError('not_found', `${what}. Name it by its id: runapi-gateway keys list`);
}

/** For good; it stops working within a second on every node. */
export async function revokeKey(
  ctx: Pick<DomainContext, 'store'>,
  input: { key: string; actor: string },
): Promise<KeyRecord> {
  const key = await findKeyByName(ctx, input.key);
  await ctx.store.run('keys.update', {
    keyId: key.id,
    isRevoked: true,
    expiresInMs: null,
    limits: null,
    actor: input.actor,
  });
  return key;
}

/** A new key like the old one, which goes on working for `overlapMs`. */
export async function rotateKey(
  ctx: Pick<DomainContext, 'store' | 'clock' | 'hashKey'>,
  input: { key: string; overlapMs: number; actor: string },
): Promise<{ id: string; key: string; replaces: string }> {
  const old = await findKeyByName(ctx, input.key);
  if (old.revokedAt !== null || old.isExpired) {
    throw new AppError('not_found', `The key ${old.name} has ended; make a new one: keys create`);
  }
  const { accountId, name, owner, isLive, scopes, limits } = old;
  const { actor } = input;
  const like = { accountId, name, owner, isLive, scopes, limits, expiresInMs: null, actor };
  const made = await createKey(ctx, like);
  await ctx.store.run('keys.update', {
    keyId: old.id,
    isRevoked: false,
    expiresInMs: input.overlapMs,
    limits: null,
    actor,
  });
  return { ...made, replaces: old.id };
}
