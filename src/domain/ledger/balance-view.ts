import type { JsonObject } from '../../kernel/json.ts';
import { toWholeCents } from '../../kernel/money.ts';
import type { Balance } from './operations.ts';

/**
 * Five integers in US cents (contract §2.1). What running tasks hold is no longer part of the balance; all credits count
 * as paid ones. Part cents are rounded to the caller's disadvantage, so that what is shown can be spent.
 */
export function balanceToView(balance: Balance & { usedToday: number }): JsonObject {
  const cents = toWholeCents(balance.available);
  return {
    balance_cents: cents,
    paid_balance_cents: cents,
    bonus_balance_cents: 0,
    spent_cents_today: toWholeCents(balance.usedToday),
    spent_cents_total: toWholeCents(balance.granted) - cents,
  };
}
