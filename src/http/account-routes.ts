// Who the key belongs to, and what it may still spend.
import { balanceToView } from '../domain/ledger/index.ts';
import { AppError } from '../kernel/app-error.ts';
import type { Handler } from './door.ts';

export const meHandler: Handler = async (door, request) => {
  const { accountId } = door.actorOf(request);
  const [account] = await door.ctx.store.run('accounts.list', { accountId });
  if (!account) throw new AppError('not_found', 'The account of this key is gone.');
  const { id, name, email } = account;
  return { id, name, email, account: { id, name: name.replace(/ User$/, '') } };
};

export const balanceHandler: Handler = async (door, request) => {
  const { accountId } = door.actorOf(request);
  return balanceToView(await door.ctx.store.run('ledger.balance', { accountId }));
};
