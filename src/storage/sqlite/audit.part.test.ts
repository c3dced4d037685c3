// The audit against planted corruption: each kind is written past the guards, as a bug or a hand in the file would.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import {
  accept,
  acceptInput,
  claimAndRecord,
  completion,
  makeAccount,
  startNode,
} from '../contract/fixtures.ts';
import { createSqliteStore } from './store.ts';

const UNGUARD = `DROP TRIGGER ledger_keeps_lines; DROP TRIGGER ledger_keeps_amounts; DROP INDEX ledger_once;
  PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;`;

it.each([
  ['a deleted line', "DELETE FROM ledger WHERE kind = 'hold'", 'a task holds its price once'],
  [
    'a changed amount',
    "UPDATE ledger SET amount = 1 WHERE kind = 'capture'",
    'a settlement moves what it says',
  ],
  [
    'a second capture',
    "INSERT INTO ledger SELECT 999, account_id, subject_id, kind, from_pot, to_pot, amount, reason, created_at FROM ledger WHERE kind = 'capture'",
    'a settlement moves what it says',
  ],
  [
    'a changed balance',
    'UPDATE balances SET available = available + 1',
    'balance is the sum of its lines',
  ],
  ['a missing settlement', 'DELETE FROM settlements', 'an ended task has one settlement'],
  [
    'a settlement of a running task',
    "UPDATE tasks SET status = 'processing', finished_at = NULL, charged = NULL WHERE status = 'completed'",
    'an unfinished task has no settlement',
  ],
  [
    'a changed charge',
    "UPDATE tasks SET charged = 1 WHERE status = 'completed'",
    'an ended task has one settlement',
  ],
  [
    'a changed day of a key',
    'UPDATE key_days SET amount = amount + 1',
    "a key's days are the sum of its tasks",
  ],
  ['a lost balance', 'DELETE FROM balances', 'an account has a balance'],
])('the audit finds %s', async (_, corruption, check) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'runapi-audit-'));
  const store = await createSqliteStore({ dataDir });
  const owner = await makeAccount(store, { billing: 'prepaid', cents: 100 });
  await accept(store, acceptInput(owner));
  const nodeId = await startNode(store);
  const { claimed, fence, attempt } = await claimAndRecord(store, nodeId);
  await store.run('tasks.complete', { ...fence, ...completion(claimed.task, attempt) });
  expect(await store.run('ledger.audit', { limit: 9 })).toEqual([]);
  await store.stop();
  const file = new DatabaseSync(join(dataDir, 'gateway.db'));
  file.exec(UNGUARD);
  file.exec(corruption);
  file.close();
  const again = await createSqliteStore({ dataDir });
  const found = await again.run('ledger.audit', { limit: 9 });
  expect(found.map((one) => one.check)).toContain(check);
  await again.stop();
  rmSync(dataDir, { recursive: true });
});
