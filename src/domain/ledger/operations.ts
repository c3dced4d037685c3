// The contracts of the money transactions. SQL: `storage/<engine>/ledger.ts`. Amounts are micro-cents.
import type { MicroCents } from '../../kernel/money.ts';

export type Pot = 'available' | 'held' | 'granted' | 'revenue';

export interface Balance {
  /** What new requests may use. */
  available: number;
  /** Set aside for tasks that have not ended. */
  held: number;
  /** Captured for what was delivered. */
  revenue: number;
  /** All that ever came in, less what was taken back. */
  granted: number;
}

export interface LedgerLine {
  seq: number;
  /** A task, or the grant that brought it. */
  subjectId: string;
  kind: 'grant' | 'adjust' | 'hold' | 'capture' | 'release';
  from: Pot;
  to: Pot;
  amount: number;
  reason: string | null;
  createdAt: number;
}

/** One thing that does not add up. */
export interface AuditFinding {
  check: string;
  /** The account, task or key it is about. */
  subject: string;
  expected: string;
  found: string;
}

/** Why an accept was refused; nothing was written. */
export type Refusal =
  | { reason: 'balance'; price: number; available: number }
  | { reason: 'key_day' | 'key_month' | 'key_total'; price: number; limit: number; used: number }
  | { reason: 'key_rate'; limit: number; retryAfterMs: number }
  | { reason: 'key_concurrent' | 'account_concurrent'; limit: number };

export type LedgerOperations = {
  /** `usedToday`: held or spent by requests of this UTC day. */
  'ledger.balance': { input: { accountId: number }; output: Balance & { usedToday: number } };
  /** What would stand against a task now; nothing is used up. */
  'ledger.check': {
    input: { accountId: number; keyId: string; hold: number };
    output: Refusal | null;
  };
  /**
   * Grants (`amount` > 0) or takes back (`amount` < 0). The same `id` again changes nothing. Null: no such account.
   * `refused`: more would be taken back than is available.
   */
  'ledger.adjust': {
    input: { id: string; accountId: number; amount: number; reason: string; actor: string };
    output: { kind: 'done' | 'replayed' | 'refused'; available: number } | null;
  };
  /** Newest first, those with `seq < before`. */
  'ledger.statement': {
    input: { accountId: number; before: number | null; limit: number };
    output: readonly LedgerLine[];
  };
  /** Recomputes every balance from the lines, and every ended task against its settlement. Empty: all adds up. */
  'ledger.audit': { input: { limit: number }; output: readonly AuditFinding[] };
};

/** What a request holds of the balance: its price, or nothing for a sandbox key. */
export type Hold = MicroCents;
