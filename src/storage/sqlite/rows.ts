// Rows to domain values.
import type { Attempt, OutputImage, Task, TaskErrorCode } from '../../domain/tasks/model.ts';
import type { Database, Row } from './database.ts';

/** JSON that this program wrote itself; its shape is the contract of the column. */
export function fromJson<T>(text: unknown): T {
  return JSON.parse(String(text)) as T;
}

export function textOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

export function numberOrNull(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}

export function findTask(db: Database, taskId: string): Task | null {
  const row = db.get('SELECT * FROM tasks WHERE id = $id', { id: taskId });
  return row ? rowToTask(db, row) : null;
}

/** For tasks that this transaction wrote itself. */
export function requireTask(db: Database, taskId: string): Task {
  const task = findTask(db, taskId);
  if (!task) throw new Error(`task ${taskId} is gone`);
  return task;
}

export function rowToTask(db: Database, row: Row): Task {
  const id = String(row['id']);
  const errorCode = textOrNull(row['error_code']);
  const charged = numberOrNull(row['charged']);
  return {
    id,
    accountId: Number(row['account_id']),
    keyId: String(row['key_id']),
    isLive: row['is_live'] === 1,
    service: String(row['service']),
    action: String(row['action']),
    model: String(row['model']),
    modelAsSent: String(row['model_as_sent']),
    status: String(row['status']) as Task['status'],
    failure:
      errorCode === null
        ? null
        : { code: errorCode as TaskErrorCode, message: String(row['error_message']) },
    params: fromJson(row['params']),
    outputCount: Number(row['output_count']),
    interpretation: fromJson(row['interpretation']),
    warnings: fromJson(row['warnings']),
    quote: fromJson(row['quote']),
    charged: charged as Task['charged'],
    provider: textOrNull(row['provider']),
    clientRequestId: textOrNull(row['client_request_id']),
    callbackUrl: textOrNull(row['callback_url']),
    createdAt: Number(row['created_at']),
    deadlineAt: Number(row['deadline_at']),
    finishedAt: numberOrNull(row['finished_at']),
    outputsExpiredAt: numberOrNull(row['outputs_expired_at']),
    outputs: row['status'] === 'pending' ? [] : listOutputs(db, id),
  };
}

function listOutputs(db: Database, taskId: string): OutputImage[] {
  const rows = db.all('SELECT * FROM outputs WHERE task_id = $taskId ORDER BY idx', { taskId });
  return rows.map(rowToOutput);
}

export function rowToOutput(row: Row): OutputImage {
  return {
    index: Number(row['idx']),
    token: String(row['token']),
    blobKey: String(row['blob_key']),
    contentType: String(row['content_type']),
    width: Number(row['width']),
    height: Number(row['height']),
    sizeBytes: Number(row['size_bytes']),
    sha256: String(row['sha256']),
    processed: fromJson(row['processed']),
    expiresAt: Number(row['expires_at']),
  };
}

export function listAttempts(db: Database, taskId: string): Attempt[] {
  const sql = 'SELECT * FROM attempts WHERE task_id = $taskId ORDER BY number';
  return db.all(sql, { taskId }).map((row) => ({
    number: Number(row['number']),
    provider: String(row['provider']),
    state: String(row['state']) as Attempt['state'],
    claim: Number(row['claim']),
    handle: row['handle'] === null ? null : fromJson(row['handle']),
    failureClass: textOrNull(row['failure_class']),
    detail: textOrNull(row['detail']),
    upstreamCost: numberOrNull(row['upstream_cost']),
    startedAt: Number(row['started_at']),
    finishedAt: numberOrNull(row['finished_at']),
  }));
}
