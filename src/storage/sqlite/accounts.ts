import { toKey } from '../rows/to-domain.ts';
import type { Database } from './database.ts';
import type { OperationTable } from './operation.ts';

type Names =
  | 'accounts.ensureKey'
  | 'accounts.findKey'
  | 'accounts.keepSecret'
  | 'accounts.secretCheck';

export const accountOperations: OperationTable<Names> = {
  'accounts.ensureKey'(db, input, now) {
    const known = findKey(db, input.hash);
    if (known) return { accountId: known.accountId, keyId: known.id, created: false };
    if (input.isOnlyFirst && db.get('SELECT 1 FROM keys LIMIT 1', {})) return null;
    const { accountName: name, email, billing } = input;
    // The e-mail address is the account's natural key: one account, however often this is asked.
    db.run(
      `INSERT INTO accounts (name, email, billing, created_at) VALUES ($name, $email, $billing, $now)
       ON CONFLICT (email) DO NOTHING`,
      { name, email, billing, now },
    );
    const account = db.get('SELECT id FROM accounts WHERE email = $email', { email });
    const accountId = Number(account?.['id']);
    db.run(
      `INSERT INTO keys (id, account_id, name, hash, prefix, is_live, created_at)
       VALUES ($keyId, $accountId, $keyName, $hash, $prefix, $isLive, $now)`,
      {
        keyId: input.keyId,
        accountId,
        keyName: input.keyName,
        hash: input.hash,
        prefix: input.prefix,
        isLive: input.isLive ? 1 : 0,
        now,
      },
    );
    return { accountId, keyId: input.keyId, created: true };
  },

  'accounts.findKey': (db, { hash }) => findKey(db, hash),

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

function findKey(db: Database, hash: string) {
  const row = db.get('SELECT * FROM keys WHERE hash = $hash', { hash });
  if (!row) return null;
  return toKey(row);
}
