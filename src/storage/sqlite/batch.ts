// One batch of operations in one transaction, a savepoint each; answers are given only after COMMIT.
import { toError } from '../../kernel/app-error.ts';
import { acceptOperations } from './accept.ts';
import { accountOperations } from './accounts.ts';
import type { Database } from './database.ts';
import { finishOperations } from './finish.ts';
import { ledgerOperations } from './ledger.ts';
import { nodeOperations } from './nodes.ts';
import type { OperationTable } from './operation.ts';
import { outputOperations } from './outputs.ts';
import { runOperations } from './run-operations.ts';

export interface Call {
  id: number;
  name: string;
  input: unknown;
}

export type Answer =
  | { id: number; ok: true; output: unknown }
  /** `dropped`: the engine refused; nothing of it happened. Otherwise a bug in the operation. */
  | { id: number; ok: false; dropped: boolean; message: string };

const OPERATIONS: OperationTable = {
  ...acceptOperations,
  ...runOperations,
  ...finishOperations,
  ...outputOperations,
  ...accountOperations,
  ...ledgerOperations,
  ...nodeOperations,
};

type Untyped = (db: Database, input: unknown, now: number) => unknown;
const byName = new Map<string, Untyped>(Object.entries(OPERATIONS) as [string, Untyped][]);

/** Error codes after which the engine may have dropped the transaction: BUSY, NOMEM, READONLY, IOERR, CORRUPT, FULL. */
const ENGINE_ERRORS = new Set([5, 7, 8, 10, 11, 13]);

export function runBatch(db: Database, calls: readonly Call[]): Answer[] {
  try {
    db.raw.exec('BEGIN IMMEDIATE');
    const answers: Answer[] = [];
    for (const call of calls) {
      answers.push(runOne(db, call));
      // Without this a later savepoint would open a transaction of its own and acknowledge lost work.
      if (!db.raw.isTransaction) throw new Error('the engine dropped the transaction');
    }
    db.raw.exec('COMMIT');
    return answers;
  } catch (error) {
    if (db.raw.isTransaction) db.raw.exec('ROLLBACK');
    const { message } = toError(error);
    return calls.map(({ id }) => ({ id, ok: false, dropped: true, message }));
  }
}

function runOne(db: Database, { id, name, input }: Call): Answer {
  const operation = byName.get(name);
  if (!operation) return { id, ok: false, dropped: false, message: `no operation ${name}` };
  db.raw.exec('SAVEPOINT operation');
  try {
    const output = operation(db, input, db.now());
    db.raw.exec('RELEASE operation');
    return { id, ok: true, output };
  } catch (error) {
    if (db.raw.isTransaction) db.raw.exec('ROLLBACK TO operation; RELEASE operation');
    const { message } = toError(error);
    return { id, ok: false, dropped: isEngineError(error), message: `${name}: ${message}` };
  }
}

function isEngineError(error: unknown): boolean {
  const code = (error as { errcode?: unknown }).errcode;
  return typeof code === 'number' && ENGINE_ERRORS.has(code & 0xff);
}
