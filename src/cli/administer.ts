// What an operator may ask of a gateway about accounts, keys and money; the same by socket and on an opened store.
import { type CreateKeyInput, createKey, revokeKey, rotateKey } from '../domain/accounts/index.ts';
import type { Billing } from '../domain/accounts/operations.ts';
import type { DomainContext } from '../domain/context.ts';
import { adjustCredits } from '../domain/ledger/index.ts';
import { AppError } from '../kernel/app-error.ts';

/** The audit log's name of whoever holds the data folder or the database. */
const ACTOR = 'cli';
const FINDINGS_MAX = 100;

export type AdminRequest =
  | ({ verb: 'keys.create' } & Omit<CreateKeyInput, 'actor'>)
  | { verb: 'keys.list' }
  | { verb: 'keys.revoke'; key: string }
  | { verb: 'keys.rotate'; key: string; overlapMs: number }
  | {
      verb: 'accounts.create';
      name: string;
      email: string;
      billing: Billing;
      concurrentMax: number | null;
    }
  | { verb: 'accounts.list' }
  | { verb: 'credits.adjust'; accountId: number; amount: number; reason: string }
  | { verb: 'credits.statement'; accountId: number; limit: number }
  | { verb: 'ledger.audit' };

export async function administer(ctx: DomainContext, request: AdminRequest): Promise<unknown> {
  const { store } = ctx;
  switch (request.verb) {
    case 'keys.create':
      return createKey(ctx, { ...request, actor: ACTOR });
    case 'keys.list':
      return store.run('keys.list', { accountId: null });
    case 'keys.revoke':
      return revokeKey(ctx, { key: request.key, actor: ACTOR });
    case 'keys.rotate':
      return rotateKey(ctx, { ...request, actor: ACTOR });
    case 'accounts.list':
      return store.run('accounts.list', { accountId: null });
    case 'accounts.create': {
      const { name, email, billing, concurrentMax } = request;
      const account = { name, email, billing, concurrentMax, actor: ACTOR };
      const made = await store.run('accounts.create', account);
      if (made) return made;
      throw new AppError('invalid_request', `${email} has an account already.`);
    }
    case 'credits.adjust': {
      const { accountId, amount, reason } = request;
      return adjustCredits(ctx, { accountId, amount, reason, actor: ACTOR });
    }
    case 'credits.statement': {
      const { accountId, limit } = request;
      return store.run('ledger.statement', { accountId, before: null, limit });
    }
    case 'ledger.audit':
      return store.run('ledger.audit', { limit: FINDINGS_MAX });
  }
}
