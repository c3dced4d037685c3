// Accepting, replaying, reading and listing tasks.
import type { AcceptInput } from '../../domain/tasks/operations.ts';
import { textOrNull, toEvent } from '../rows/to-domain.ts';
import type { Database } from './database.ts';
import { writeInput } from './inputs.ts';
import { hold } from './ledger.ts';
import { type OperationTable, writeEvent } from './operation.ts';
import { findTask, listAttempts, readTask, requireTask } from './rows.ts';

type Names =
  | 'tasks.accept'
  | 'tasks.findReplay'
  | 'tasks.get'
  | 'tasks.list'
  | 'tasks.attempts'
  | 'tasks.events';

export const acceptOperations: OperationTable<Names> = {
  'tasks.accept'(db, input, now) {
    if (input.idempotency) {
      const { accountId, isLive } = input;
      const earlier = findReplay(db, { accountId, isLive, key: input.idempotency.key });
      if (earlier) return { kind: 'replayed', ...earlier };
    }
    const refusal = hold(db, input, now);
    if (refusal) return { kind: 'refused', refusal };
    insertTask(db, input, now);
    writeInput(db, input.id, input.input);
    if (input.idempotency) {
      // The primary key is the guard: two accepts with one key cannot both get here.
      db.run(
        'INSERT INTO idempotency (account_id, is_live, key, fingerprint, task_id) VALUES ($accountId, $isLive, $key, $fingerprint, $taskId)',
        {
          accountId: input.accountId,
          isLive: input.isLive ? 1 : 0,
          ...input.idempotency,
          taskId: input.id,
        },
      );
    }
    writeEvent(db, input.id, 'task.pending', now);
    return { kind: 'accepted', task: requireTask(db, input.id) };
  },

  'tasks.findReplay': (db, input) => findReplay(db, input),

  'tasks.get'(db, { taskId, accountId }) {
    const task = findTask(db, taskId);
    return task && (accountId === null || task.accountId === accountId) ? task : null;
  },

  'tasks.list'(db, { accountId, after, limit, clientRequestId }) {
    const from = after === null ? null : findTask(db, after);
    if (after !== null && from?.accountId !== accountId) return null;
    // One text for each case: a condition that may be switched off by a value is none to an index.
    const rows = db.all(
      `SELECT * FROM tasks
       WHERE account_id = $accountId
         ${clientRequestId === null ? '' : 'AND client_request_id = $clientRequestId'}
         ${from ? 'AND (created_at, id) < ($afterAt, $afterId)' : ''}
       ORDER BY created_at DESC, id DESC LIMIT $limit`,
      {
        accountId,
        ...(clientRequestId === null ? {} : { clientRequestId }),
        ...(from ? { afterAt: from.createdAt, afterId: from.id } : {}),
        limit: limit + 1,
      },
    );
    const tasks = rows.slice(0, limit).map((row) => readTask(db, row));
    return { tasks, hasMore: rows.length > limit };
  },

  'tasks.attempts': (db, { taskId }) => listAttempts(db, taskId),

  'tasks.events'(db, { taskId, afterSeq }) {
    const rows = db.all(
      'SELECT * FROM events WHERE task_id = $taskId AND seq > $afterSeq ORDER BY seq',
      { taskId, afterSeq },
    );
    return rows.map(toEvent);
  },
};

function findReplay(db: Database, input: { accountId: number; isLive: boolean; key: string }) {
  const row = db.get(
    'SELECT fingerprint, task_id FROM idempotency WHERE account_id = $accountId AND is_live = $isLive AND key = $key',
    { accountId: input.accountId, isLive: input.isLive ? 1 : 0, key: input.key },
  );
  const taskId = textOrNull(row?.['task_id']);
  if (!row || taskId === null) return null;
  return { fingerprint: String(row['fingerprint']), task: requireTask(db, taskId) };
}

function insertTask(db: Database, input: AcceptInput, now: number): void {
  db.run(
    `INSERT INTO tasks (id, account_id, key_id, is_live, lane, service, action, model, model_as_sent,
       status, params, output_count, interpretation, warnings, quote, held, client_request_id, callback_url,
       created_at, deadline_at)
     VALUES ($id, $accountId, $keyId, $isLive, $lane, $service, $action, $model, $modelAsSent,
       'pending', $params, $outputCount, $interpretation, $warnings, $quote, $held, $clientRequestId,
       $callbackUrl, $now, $deadlineAt)`,
    {
      id: input.id,
      accountId: input.accountId,
      keyId: input.keyId,
      isLive: input.isLive ? 1 : 0,
      lane: input.lane,
      service: input.service,
      action: input.action,
      model: input.model,
      modelAsSent: input.modelAsSent,
      params: JSON.stringify(input.params),
      outputCount: input.outputCount,
      interpretation: JSON.stringify(input.interpretation),
      warnings: JSON.stringify(input.warnings),
      quote: JSON.stringify(input.quote),
      held: input.hold,
      clientRequestId: input.clientRequestId,
      callbackUrl: input.callbackUrl,
      now,
      deadlineAt: now + input.deadlineMs,
    },
  );
}
