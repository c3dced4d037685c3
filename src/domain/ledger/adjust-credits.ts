import { AppError } from '../../kernel/app-error.ts';
import { makeUuid } from '../../kernel/ids.ts';
import { formatCents } from '../../kernel/money.ts';
import type { DomainContext } from '../context.ts';

interface AdjustInput {
  accountId: number;
  /** Micro-cents; below zero takes back. */
  amount: number;
  reason: string;
  actor: string;
}

/** Grants credits or takes them back; never below what is available. */
export async function adjustCredits(
  ctx: Pick<DomainContext, 'store' | 'clock'>,
  input: AdjustInput,
): Promise<{ available: number }> {
  const id = makeUuid(ctx.clock.now());
  const done = await ctx.store.run('ledger.adjust', { id, ...input });
  if (done === null) throw new AppError('not_found', `There is no account ${input.accountId}.`);
  if (done.kind !== 'refused') return { available: done.available };
  throw new AppError(
    'invalid_request',
    `${formatCents(-input.amount)} cannot be taken back: ${formatCents(done.available)} are available.`,
  );
}
