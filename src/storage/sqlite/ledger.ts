// Money: holds at accept, one settlement at the end, grants, and what must always add up.
import { readFileSync } from 'node:fs';
import type { KeyLimits } from '../../domain/accounts/operations.ts';
import type { Pot, Refusal } from '../../domain/ledger/operations.ts';
import type { AcceptInput } from '../../domain/tasks/operations.ts';
import { fromJson, toBalance, toFinding, toLedgerLine } from '../rows/to-domain.ts';
import type { Database, Row } from './database.ts';
import { type OperationTable, writeAudit } from './operation.ts';

type Names =
  | 'ledger.balance'
  | 'ledger.check'
  | 'ledger.adjust'
  | 'ledger.statement'
  | 'ledger.audit';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const CHECKS = readFileSync(
  new URL('../rows/ledger-checks.sql', import.meta.url),
  'utf8',
).replaceAll('gateway.', '');

export const ledgerOperations: OperationTable<Names> = {
  'ledger.balance'(db, { accountId }, now) {
    const row = db.get(
      `SELECT SUM(amount) AS used FROM key_days
       WHERE day = $day AND key_id IN (SELECT id FROM keys WHERE account_id = $accountId)`,
      { accountId, day: Math.floor(now / DAY_MS) },
    );
    return { ...toBalance(requireBalance(db, accountId)), usedToday: Number(row?.['used'] ?? 0) };
  },

  'ledger.check': (db, input, now) => weigh(db, input, now).refusal,

  'ledger.adjust'(db, input, now) {
    const { accountId, amount } = input;
    const balance = balanceOf(db, accountId);
    if (!balance) return null;
    const available = Number(balance['available']);
    const kind = amount > 0 ? 'grant' : 'adjust';
    const earlier = db.get('SELECT 1 FROM ledger WHERE subject_id = $id AND kind = $kind', {
      id: input.id,
      kind,
    });
    if (earlier) return { kind: 'replayed', available };
    if (available + amount < 0) return { kind: 'refused', available };
    const [from, to]: [Pot, Pot] = amount > 0 ? ['granted', 'available'] : ['available', 'granted'];
    const { id: subjectId, reason } = input;
    move(db, { accountId, subjectId, kind, from, to, amount: Math.abs(amount), reason }, now);
    const detail = { amount, reason };
    writeAudit(db, input.actor, 'credits.adjust', String(accountId), detail, now);
    return { kind: 'done', available: available + amount };
  },

  'ledger.statement'(db, { accountId, before, limit }) {
    const rows = db.all(
      `SELECT * FROM ledger WHERE account_id = $accountId AND seq < $before ORDER BY seq DESC LIMIT $limit`,
      { accountId, before: before ?? Number.MAX_SAFE_INTEGER, limit },
    );
    return rows.map(toLedgerLine);
  },

  'ledger.audit': (db, { limit }) =>
    db.all(`SELECT * FROM (${CHECKS}) LIMIT $limit`, { limit }).map(toFinding),
};

interface Movement {
  accountId: number;
  subjectId: string;
  kind: 'grant' | 'adjust' | 'hold' | 'capture' | 'release';
  from: Pot;
  to: Pot;
  amount: number;
  reason: string | null;
}

/** The pots come from this file's own words, so they may stand in the statement. */
export function move(db: Database, movement: Movement, now: number): void {
  const { accountId, amount, from, to } = movement;
  db.run(
    `INSERT INTO ledger (account_id, subject_id, kind, from_pot, to_pot, amount, reason, created_at)
     VALUES ($accountId, $subjectId, $kind, $from, $to, $amount, $reason, $now)`,
    { ...movement, now },
  );
  db.run(
    `UPDATE balances SET ${from} = ${from} - $amount, ${to} = ${to} + $amount WHERE account_id = $accountId`,
    { accountId, amount },
  );
}

function balanceOf(db: Database, accountId: number): Row | undefined {
  return db.get('SELECT * FROM balances WHERE account_id = $accountId', { accountId });
}

function requireBalance(db: Database, accountId: number): Row {
  const row = balanceOf(db, accountId);
  if (!row) throw new Error(`account ${accountId} has no balance`);
  return row;
}

type Wanted = Pick<AcceptInput, 'accountId' | 'keyId'> & { hold: number };

/** What stands against a task of this price; else what its account would have to be given. */
function weigh(
  db: Database,
  input: Wanted,
  now: number,
): { refusal: Refusal | null; short: number } {
  const account = db.get(
    `SELECT billing, concurrent_max, limits, available FROM keys
     JOIN accounts ON accounts.id = keys.account_id
     JOIN balances ON balances.account_id = keys.account_id WHERE keys.id = $keyId`,
    { keyId: input.keyId },
  );
  if (!account) throw new Error(`no key ${input.keyId}`);
  const limits = fromJson<KeyLimits>(account['limits']);
  const available = Number(account['available']);
  const short = Math.max(0, input.hold - available);
  const refusal =
    rateRefusal(db, input, limits, now) ??
    concurrencyRefusal(db, input, limits, account['concurrent_max'], now) ??
    spendRefusal(db, input, limits, now) ??
    (short > 0 && account['billing'] !== 'track'
      ? { reason: 'balance' as const, price: input.hold, available }
      : null);
  return { refusal, short };
}

/** What stands against this task, or null after its price has been set aside. */
export function hold(db: Database, input: AcceptInput, now: number): Refusal | null {
  const { refusal, short } = weigh(db, input, now);
  if (refusal) return refusal;
  const { accountId, id: subjectId, hold: price } = input;
  if (price === 0) return null;
  if (short > 0) {
    const grant = { kind: 'grant', from: 'granted', to: 'available', reason: 'own use' } as const;
    move(db, { accountId, subjectId, amount: short, ...grant }, now);
  }
  const held = { kind: 'hold', from: 'available', to: 'held', reason: null } as const;
  move(db, { accountId, subjectId, amount: price, ...held }, now);
  db.run(
    `INSERT INTO key_days (key_id, day, amount) VALUES ($keyId, $day, $price)
     ON CONFLICT (key_id, day) DO UPDATE SET amount = amount + $price`,
    { keyId: input.keyId, day: Math.floor(now / DAY_MS), price },
  );
  return null;
}

/** Accepts of the last minute, counted exactly: a fixed window would let twice as many through at its border. */
function rateRefusal(
  db: Database,
  { keyId }: Wanted,
  { requestsPerMinute: limit }: KeyLimits,
  now: number,
): Refusal | null {
  if (limit === undefined) return null;
  const nth = db.get(
    `SELECT created_at FROM tasks WHERE key_id = $keyId AND created_at > $since
     ORDER BY created_at DESC LIMIT 1 OFFSET $skip`,
    { keyId, since: now - MINUTE_MS, skip: limit - 1 },
  );
  if (!nth) return null;
  const retryAfterMs = Math.max(1, Number(nth['created_at']) + MINUTE_MS - now);
  return { reason: 'key_rate', limit, retryAfterMs };
}

function concurrencyRefusal(
  db: Database,
  { accountId, keyId }: Wanted,
  { concurrentTasks }: KeyLimits,
  accountMax: unknown,
  now: number,
): Refusal | null {
  if (concurrentTasks !== undefined) {
    const running = countRunning(db, 'key_id = $id', keyId, now);
    if (running >= concurrentTasks) return { reason: 'key_concurrent', limit: concurrentTasks };
  }
  if (accountMax === null) return null;
  const limit = Number(accountMax);
  const running = countRunning(db, 'account_id = $id', accountId, now);
  return running >= limit ? { reason: 'account_concurrent', limit } : null;
}

/** A cancelled task counts until its attempt has really ended, an hour at most. */
function countRunning(db: Database, whose: string, id: string | number, now: number): number {
  const row = db.get(
    `SELECT (SELECT COUNT(*) FROM tasks WHERE ${whose} AND status IN ('pending', 'processing'))
       + (SELECT COUNT(*) FROM tasks WHERE ${whose} AND error_code = 'canceled' AND finished_at > $since
          AND EXISTS (SELECT 1 FROM attempts WHERE task_id = tasks.id AND attempts.finished_at IS NULL)) AS count`,
    { id, since: now - 60 * MINUTE_MS },
  );
  return Number(row?.['count']);
}

function spendRefusal(
  db: Database,
  { keyId, hold: price }: Wanted,
  limits: KeyLimits,
  now: number,
): Refusal | null {
  const today = Math.floor(now / DAY_MS);
  const date = new Date(now);
  const firstOfMonth = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / DAY_MS;
  const windows = [
    ['key_day', limits.spendPerDay, today],
    ['key_month', limits.spendPerMonth, firstOfMonth],
    ['key_total', limits.spendTotal, 0],
  ] as const;
  for (const [reason, limit, from] of windows) {
    if (limit === undefined || price === 0) continue;
    const row = db.get(
      'SELECT COALESCE(SUM(amount), 0) AS used FROM key_days WHERE key_id = $keyId AND day >= $from',
      { keyId, from },
    );
    const used = Number(row?.['used']);
    if (used + price > limit) return { reason, price, limit, used };
  }
  return null;
}

/** The one terminal movement of a task: captures what is charged and releases the rest. */
export function settle(db: Database, task: Row, charged: number, now: number): void {
  const subjectId = String(task['id']);
  const accountId = Number(task['account_id']);
  const held = Number(task['held']);
  db.run(
    `INSERT INTO settlements (subject_id, account_id, held, charged, created_at)
     VALUES ($subjectId, $accountId, $held, $charged, $now)`,
    { subjectId, accountId, held, charged, now },
  );
  const released = held - charged;
  const line = { accountId, subjectId, from: 'held', reason: null } as const;
  if (charged > 0) move(db, { ...line, kind: 'capture', to: 'revenue', amount: charged }, now);
  if (released === 0) return;
  move(db, { ...line, kind: 'release', to: 'available', amount: released }, now);
  db.run('UPDATE key_days SET amount = amount - $released WHERE key_id = $keyId AND day = $day', {
    released,
    keyId: String(task['key_id']),
    day: Math.floor(Number(task['created_at']) / DAY_MS),
  });
}
