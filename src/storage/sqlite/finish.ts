// The terminal transitions. Each is guarded by the state it leaves, so exactly one of them happens to a task.
import type { Task, TaskErrorCode } from '../../domain/tasks/model.ts';
import { fromJson } from '../rows/to-domain.ts';
import type { Database, Row } from './database.ts';
import { settle } from './ledger.ts';
import { type OperationTable, writeEvent } from './operation.ts';
import { readTask, requireTask } from './rows.ts';
import { ABANDONED, holds } from './run-operations.ts';

type Names =
  | 'tasks.complete'
  | 'tasks.fail'
  | 'tasks.cancel'
  | 'tasks.expireOverdue'
  | 'tasks.failLost'
  | 'tasks.failUnfinished'
  | 'tasks.load'
  | 'tasks.countCancelsAfterSubmit';

export const finishOperations: OperationTable<Names> = {
  'tasks.complete'(db, input, now) {
    const { taskId, nodeId, claim, attempt } = input;
    if (isCompletedBy(db, taskId, nodeId, claim)) {
      return { lost: false, task: requireTask(db, taskId) };
    }
    if (!holds(db, input, now) || countOutputs(db, taskId) !== input.outputCount) {
      return { lost: true };
    }
    db.run(
      `UPDATE attempts SET state = 'succeeded', upstream_cost = $upstreamCost, finished_at = $now
       WHERE task_id = $taskId AND number = $attempt AND finished_at IS NULL`,
      { taskId, attempt, upstreamCost: input.upstreamCost, now },
    );
    db.run(
      'UPDATE tasks SET interpretation = $interpretation, warnings = $warnings, provider = $provider WHERE id = $taskId',
      {
        taskId,
        interpretation: JSON.stringify(input.interpretation),
        warnings: JSON.stringify(input.warnings),
        provider: input.provider,
      },
    );
    return { lost: false, task: complete(db, taskId, input.charged, now) };
  },

  'tasks.fail'(db, { failure, warnings, provider, ...fence }, now) {
    if (!holds(db, fence, now)) return { lost: true };
    const { taskId } = fence;
    db.run('UPDATE tasks SET warnings = $warnings, provider = $provider WHERE id = $taskId', {
      taskId,
      warnings: JSON.stringify(warnings),
      provider,
    });
    return { lost: false, task: fail(db, taskId, failure.code, failure.message, now) };
  },

  'tasks.cancel'(db, { taskId, accountId, message }, now) {
    const row = db.get('SELECT * FROM tasks WHERE id = $taskId AND account_id = $accountId', {
      taskId,
      accountId,
    });
    if (!row) return null;
    if (row['status'] === 'completed' || row['status'] === 'failed') {
      return { task: readTask(db, row), changed: false };
    }
    return { task: fail(db, taskId, 'canceled', message, now), changed: true };
  },

  'tasks.expireOverdue'(db, { graceMs, limit, message }, now) {
    const rows = db.all(
      `SELECT * FROM tasks WHERE deadline_at <= $now - $graceMs
         AND status IN ('pending', 'processing') AND (status = 'pending' OR ${ABANDONED})
       ORDER BY deadline_at LIMIT $limit`,
      { graceMs, now, limit },
    );
    return rows.map((row) => endByOutputs(db, row, 'expired', message, now));
  },

  'tasks.failLost'(db, { lostMax, limit, message }, now) {
    const rows = db.all(
      `SELECT id FROM tasks WHERE ${ABANDONED} AND lost_count + 1 >= $lostMax LIMIT $limit`,
      { lostMax, now, limit },
    );
    return rows.map(({ id }) => fail(db, String(id), 'worker_lost', message, now));
  },

  'tasks.failUnfinished'(db, { limit, message }, now) {
    const rows = db.all(
      `SELECT * FROM tasks WHERE status IN ('pending', 'processing') ORDER BY deadline_at LIMIT $limit`,
      { limit },
    );
    return rows.map((row) => {
      const task = endByOutputs(db, row, 'interrupted_by_restore', message, now);
      db.run(
        `UPDATE attempts SET state = $state, finished_at = $now
         WHERE task_id = $taskId AND finished_at IS NULL`,
        { taskId: task.id, state: task.status === 'completed' ? 'succeeded' : 'uncertain', now },
      );
      return task;
    });
  },

  'tasks.load'(db, { lane, windowMs }, now) {
    const waiting = db.get(
      "SELECT COUNT(*) AS count FROM tasks WHERE lane = $lane AND status = 'pending'",
      { lane },
    );
    // The newest thousand say how fast it goes.
    const finished = db.get(
      `SELECT COUNT(*) AS count, MIN(finished_at) AS since FROM (
         SELECT finished_at FROM tasks WHERE lane = $lane AND finished_at > $since
         ORDER BY finished_at DESC LIMIT 1000)`,
      { lane, since: now - windowMs },
    );
    const since = Number(finished?.['since'] ?? now);
    return {
      pending: Number(waiting?.['count']),
      finished: Number(finished?.['count']),
      windowMs: Math.max(1_000, now - since),
    };
  },

  'tasks.countCancelsAfterSubmit'(db, { keyId, windowMs }, now) {
    const row = db.get(
      `SELECT COUNT(*) AS count FROM tasks WHERE key_id = $keyId AND error_code = 'canceled'
         AND finished_at > $since AND EXISTS (SELECT 1 FROM attempts WHERE task_id = tasks.id)`,
      { keyId, since: now - windowMs },
    );
    return Number(row?.['count']);
  },
};

/** An unanswered finish that is asked again under the same claim finds its own result. */
function isCompletedBy(db: Database, taskId: string, nodeId: string, claim: number): boolean {
  const row = db.get(
    "SELECT 1 FROM tasks WHERE id = $taskId AND owner = $nodeId AND claim = $claim AND status = 'completed'",
    { taskId, nodeId, claim },
  );
  return row !== undefined;
}

function countOutputs(db: Database, taskId: string): number {
  const row = db.get('SELECT COUNT(*) AS count FROM outputs WHERE task_id = $taskId', { taskId });
  return Number(row?.['count']);
}

/** The same rule as `chargeFor` of pricing: the largest listed count that was delivered. */
function priceOf(row: Row, delivered: number): number {
  const quote = fromJson<Task['quote']>(row['quote']);
  if (quote.byCount === null) return quote.amount;
  const counts = Object.keys(quote.byCount).map(Number);
  const best = Math.max(0, ...counts.filter((count) => count <= delivered));
  return quote.byCount[best] ?? 0;
}

/** What was delivered completes a task at its price; with nothing delivered it fails. */
function endByOutputs(
  db: Database,
  row: Row,
  code: TaskErrorCode,
  message: string,
  now: number,
): Task {
  const taskId = String(row['id']);
  const delivered = countOutputs(db, taskId);
  if (delivered === 0) return fail(db, taskId, code, message, now);
  return complete(db, taskId, priceOf(row, delivered), now);
}

function complete(db: Database, taskId: string, charged: number, now: number): Task {
  const changed = db.run(
    `UPDATE tasks SET status = 'completed', charged = MIN($charged, held), finished_at = $now
     WHERE id = $taskId AND status IN ('pending', 'processing')`,
    { taskId, charged, now },
  );
  return ended(db, taskId, 'task.completed', changed, now);
}

function fail(
  db: Database,
  taskId: string,
  code: TaskErrorCode,
  message: string,
  now: number,
): Task {
  const changed = db.run(
    `UPDATE tasks SET status = 'failed', error_code = $code, error_message = $message, charged = 0,
       finished_at = $now
     WHERE id = $taskId AND status IN ('pending', 'processing')`,
    { taskId, code, message, now },
  );
  return ended(db, taskId, 'task.failed', changed, now);
}

function ended(db: Database, taskId: string, type: string, changed: number, now: number): Task {
  if (changed !== 1) throw new Error(`task ${taskId} had ended already`);
  const row = db.get('SELECT * FROM tasks WHERE id = $taskId', { taskId });
  if (row) settle(db, row, Number(row['charged']), now);
  writeEvent(db, taskId, type, now);
  return requireTask(db, taskId);
}
