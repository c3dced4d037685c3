import { AppError } from '../../kernel/app-error.ts';
import { formatCents } from '../../kernel/money.ts';
import type { Refusal } from './operations.ts';

const WINDOWS = { key_day: 'a day (UTC)', key_month: 'a month (UTC)', key_total: 'all time' };

/** What the caller of a refused create reads: the limit, how far it is, and who can change it. */
export function refusalError(refusal: Refusal): AppError {
  switch (refusal.reason) {
    case 'balance': {
      const { price, available } = refusal;
      return new AppError(
        'insufficient_credits',
        `This request costs ${formatCents(price)}; ${formatCents(available)} are available, ${formatCents(price - available)} short. The gateway's operator can add credits: runapi-gateway credits grant. Nothing was charged.`,
        { limitSource: 'balance' },
      );
    }
    case 'key_day':
    case 'key_month':
    case 'key_total': {
      const { reason, limit, used, price } = refusal;
      return new AppError(
        'insufficient_credits',
        `This request costs ${formatCents(price)}, and this key may spend ${formatCents(limit)} in ${WINDOWS[reason]}, of which ${formatCents(used)} are used. The gateway's operator can raise the limit of the key. Nothing was charged.`,
        { limitSource: reason },
      );
    }
    case 'key_rate':
      return new AppError(
        'rate_limited',
        `This key may create ${refusal.limit} tasks a minute. Wait, then send the request again; nothing was charged.`,
        { limitSource: 'key_rate', retryAfterSeconds: Math.ceil(refusal.retryAfterMs / 1000) },
      );
    default: {
      const { reason, limit } = refusal;
      const whose = reason === 'key_concurrent' ? 'This key' : 'This account';
      return new AppError(
        'rate_limited',
        `${whose} may have ${limit} unfinished tasks at once. Wait until one has ended; nothing was charged.`,
        { limitSource: reason, retryAfterSeconds: 2 },
      );
    }
  }
}
