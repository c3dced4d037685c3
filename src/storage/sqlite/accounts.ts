import type { Operations } from '../../domain/operations.ts';
import { toAccount, toKey } from '../rows/to-domain.ts';
import type { Database } from './database.ts';
import { move } from './ledger.ts';
import { type OperationTable, writeAudit } from './operation.ts';

type Names =
  | 'accounts.ensureKey'
  | 'accounts.findKey'
  | 'accounts.create'
  | 'accounts.list'
  | 'accounts.update'
  | 'keys.create'
  | 'keys.list'
  | 'keys.update'
  | 'keys.touch'
  | 'accounts.keepSecret'
  | 'accounts.secretCheck';

const WITH_EXPIRY = 'SELECT *, COALESCE(expires_at <= $now, 0) AS is_expired FROM keys';

export const accountOperations: OperationTable<Names> = {
  'accounts.ensureKey'(db, input, now) {
    const known = findKey(db, input.hash, now);
    if (!known && input.isOnlyFirst && db.get('SELECT 1 FROM keys LIMIT 1', {})) return null;
    const accountId = known?.accountId ?? ensureAccount(db, input, now);
    if (!known) {
      insertKey(
        db,
        { ...input, accountId, name: input.keyName, owner: null, limits: {} },
        null,
        now,
      );
    }
    grantOnce(db, accountId, input.grant, now);
    return { accountId, keyId: known?.id ?? input.keyId, created: !known };
  },

  'accounts.findKey': (db, { hash }, now) => findKey(db, hash, now),

  'accounts.create'(db, { actor, ...account }, now) {
    const { email } = account;
    if (db.get('SELECT 1 FROM accounts WHERE email = $email', { email })) return null;
    const row = db.get(
      `INSERT INTO accounts (name, email, billing, concurrent_max, created_at)
       VALUES ($name, $email, $billing, $concurrentMax, $now) RETURNING id`,
      { ...account, now },
    );
    const accountId = Number(row?.['id']);
    db.run('INSERT INTO balances (account_id) VALUES ($accountId)', { accountId });
    writeAudit(db, actor, 'accounts.create', String(accountId), { email }, now);
    return { accountId };
  },

  'accounts.list'(db, { accountId }) {
    const rows = db.all(
      `SELECT * FROM accounts JOIN balances ON balances.account_id = accounts.id
       WHERE $accountId IS NULL OR accounts.id = $accountId ORDER BY accounts.id`,
      { accountId },
    );
    return rows.map(toAccount);
  },

  'accounts.update'(db, { accountId, actor, ...changes }, now) {
    const changed = db.run(
      `UPDATE accounts SET billing = COALESCE($billing, billing),
         concurrent_max = CASE WHEN $setsMax THEN $concurrentMax ELSE concurrent_max END
       WHERE id = $accountId`,
      {
        accountId,
        billing: changes.billing ?? null,
        setsMax: changes.concurrentMax === undefined ? 0 : 1,
        concurrentMax: changes.concurrentMax ?? null,
      },
    );
    if (changed === 0) return { found: false };
    writeAudit(db, actor, 'accounts.update', String(accountId), changes, now);
    return { found: true };
  },

  'keys.create'(db, { actor, expiresInMs, ...key }, now) {
    const { accountId, keyId, name } = key;
    if (!db.get('SELECT 1 FROM accounts WHERE id = $accountId', { accountId })) {
      return { found: false };
    }
    insertKey(db, key, expiresInMs === null ? null : now + expiresInMs, now);
    writeAudit(db, actor, 'keys.create', keyId, { name }, now);
    return { found: true };
  },

  'keys.list'(db, { accountId }, now) {
    const rows = db.all(
      `${WITH_EXPIRY} WHERE $accountId IS NULL OR account_id = $accountId ORDER BY created_at, id`,
      { accountId, now },
    );
    return rows.map(toKey);
  },

  'keys.update'(db, { keyId, actor, ...changes }, now) {
    const changed = db.run(
      `UPDATE keys SET limits = COALESCE($limits, limits),
         revoked_at = CASE WHEN $isRevoked THEN COALESCE(revoked_at, $now) ELSE revoked_at END,
         expires_at = CASE WHEN $expiresInMs IS NULL THEN expires_at
           ELSE MIN(COALESCE(expires_at, 9007199254740991), $now + $expiresInMs) END
       WHERE id = $keyId`,
      {
        keyId,
        limits: changes.limits && JSON.stringify(changes.limits),
        isRevoked: changes.isRevoked ? 1 : 0,
        expiresInMs: changes.expiresInMs,
        now,
      },
    );
    if (changed === 0) return { found: false };
    writeAudit(db, actor, 'keys.update', keyId, changes, now);
    return { found: true };
  },

  'keys.touch'(db, { keyId }, now) {
    db.run('UPDATE keys SET last_used_at = $now WHERE id = $keyId', { keyId, now });
    return {};
  },

  'accounts.keepSecret'(db, { candidate }) {
    db.run(
      "INSERT INTO meta (key, value) VALUES ('secret', $candidate) ON CONFLICT (key) DO NOTHING",
      { candidate },
    );
    return { stored: String(db.get("SELECT value FROM meta WHERE key = 'secret'", {})?.['value']) };
  },

  'accounts.secretCheck'(db, { check }) {
    db.run(
      "INSERT INTO meta (key, value) VALUES ('secret_check', $check) ON CONFLICT (key) DO NOTHING",
      { check },
    );
    const row = db.get("SELECT value FROM meta WHERE key = 'secret_check'", {});
    return { stored: String(row?.['value']) };
  },
};

function findKey(db: Database, hash: string, now: number) {
  const row = db.get(`${WITH_EXPIRY} WHERE hash = $hash`, { hash, now });
  return row ? toKey(row) : null;
}

/** The e-mail address is the account's natural key: one account, however often this is asked. */
function ensureAccount(
  db: Database,
  account: Operations['accounts.ensureKey']['input'],
  now: number,
): number {
  const { accountName: name, email, billing } = account;
  db.run(
    `INSERT INTO accounts (name, email, billing, created_at) VALUES ($name, $email, $billing, $now)
     ON CONFLICT (email) DO NOTHING`,
    { name, email, billing, now },
  );
  const row = db.get('SELECT id FROM accounts WHERE email = $email', { email });
  const accountId = Number(row?.['id']);
  db.run('INSERT INTO balances (account_id) VALUES ($accountId) ON CONFLICT DO NOTHING', {
    accountId,
  });
  return accountId;
}

function grantOnce(db: Database, accountId: number, amount: number, now: number): void {
  const subjectId = `first-grant-${accountId}`;
  if (amount === 0 || db.get('SELECT 1 FROM ledger WHERE subject_id = $subjectId', { subjectId })) {
    return;
  }
  const grant = { kind: 'grant', from: 'granted', to: 'available', reason: 'first start' } as const;
  move(db, { accountId, subjectId, amount, ...grant }, now);
  writeAudit(db, 'start', 'credits.adjust', String(accountId), { amount }, now);
}

type NewKey = Omit<Operations['keys.create']['input'], 'actor' | 'expiresInMs'>;

function insertKey(db: Database, key: NewKey, expiresAt: number | null, now: number): void {
  db.run(
    `INSERT INTO keys (id, account_id, name, owner, hash, prefix, is_live, scopes, limits, created_at, expires_at)
     VALUES ($keyId, $accountId, $name, $owner, $hash, $prefix, $isLive, $scopes, $limits, $now, $expiresAt)`,
    {
      keyId: key.keyId,
      accountId: key.accountId,
      name: key.name,
      owner: key.owner,
      hash: key.hash,
      prefix: key.prefix,
      isLive: key.isLive ? 1 : 0,
      scopes: JSON.stringify(key.scopes),
      limits: JSON.stringify(key.limits),
      now,
      expiresAt,
    },
  );
}
