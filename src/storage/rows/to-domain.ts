// Rows of either engine to domain values: both name their columns alike, keep times as integers and JSON as text.
import type { AccountRecord, KeyRecord } from '../../domain/accounts/operations.ts';
import type { AuditFinding, Balance, LedgerLine } from '../../domain/ledger/operations.ts';
import type { Attempt, OutputImage, Task, TaskErrorCode } from '../../domain/tasks/model.ts';
import type { NodeRecord, TaskEvent } from '../../domain/tasks/operations.ts';

export type Row = Readonly<Record<string, unknown>>;

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

export function toTask(row: Row, outputs: readonly Row[]): Task {
  const errorCode = textOrNull(row['error_code']);
  return {
    id: String(row['id']),
    accountId: Number(row['account_id']),
    keyId: String(row['key_id']),
    isLive: Boolean(row['is_live']),
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
    charged: numberOrNull(row['charged']) as Task['charged'],
    provider: textOrNull(row['provider']),
    clientRequestId: textOrNull(row['client_request_id']),
    callbackUrl: textOrNull(row['callback_url']),
    createdAt: Number(row['created_at']),
    deadlineAt: Number(row['deadline_at']),
    finishedAt: numberOrNull(row['finished_at']),
    outputsExpiredAt: numberOrNull(row['outputs_expired_at']),
    outputs: outputs.map(toOutput),
  };
}

export function toOutput(row: Row): OutputImage {
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

export function toAttempt(row: Row): Attempt {
  return {
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
  };
}

export function toEvent(row: Row): TaskEvent {
  return {
    seq: Number(row['seq']),
    taskId: String(row['task_id']),
    type: String(row['type']) as TaskEvent['type'],
    createdAt: Number(row['created_at']),
  };
}

export function toInput(row: Row) {
  return {
    prompt: String(row['prompt']),
    sources: fromJson<never>(row['sources']),
    mask: row['mask'] === null ? null : fromJson<never>(row['mask']),
  };
}

export function toNode(row: Row): NodeRecord {
  return {
    id: String(row['id']),
    name: String(row['name']),
    version: String(row['version']),
    settingsHash: String(row['settings_hash']),
    startedAt: Number(row['started_at']),
    isDraining: Boolean(row['is_draining']),
    running: Number(row['running']),
  };
}

export function toKey(row: Row): KeyRecord {
  return {
    id: String(row['id']),
    accountId: Number(row['account_id']),
    name: String(row['name']),
    owner: textOrNull(row['owner']),
    prefix: String(row['prefix']),
    isLive: Boolean(row['is_live']),
    scopes: fromJson(row['scopes']),
    limits: fromJson(row['limits']),
    createdAt: Number(row['created_at']),
    expiresAt: numberOrNull(row['expires_at']),
    isExpired: Boolean(row['is_expired']),
    lastUsedAt: numberOrNull(row['last_used_at']),
    revokedAt: numberOrNull(row['revoked_at']),
  };
}

export function toAccount(row: Row): AccountRecord {
  return {
    id: Number(row['id']),
    name: String(row['name']),
    email: String(row['email']),
    billing: String(row['billing']) as AccountRecord['billing'],
    concurrentMax: numberOrNull(row['concurrent_max']),
    balance: toBalance(row),
    createdAt: Number(row['created_at']),
  };
}

export function toBalance(row: Row): Balance {
  return {
    available: Number(row['available']),
    held: Number(row['held']),
    revenue: Number(row['revenue']),
    granted: -Number(row['granted']),
  };
}

export function toLedgerLine(row: Row): LedgerLine {
  return {
    seq: Number(row['seq']),
    subjectId: String(row['subject_id']),
    kind: String(row['kind']) as LedgerLine['kind'],
    from: String(row['from_pot']) as LedgerLine['from'],
    to: String(row['to_pot']) as LedgerLine['to'],
    amount: Number(row['amount']),
    reason: textOrNull(row['reason']),
    createdAt: Number(row['created_at']),
  };
}

export function toFinding(row: Row): AuditFinding {
  return {
    check: String(row['check_name']),
    subject: String(row['subject']),
    expected: String(row['expected']),
    found: String(row['found']),
  };
}
