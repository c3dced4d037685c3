// The shape of an operation's implementation: synchronous, inside the worker's current savepoint.
import type { Operations } from '../../domain/operations.ts';
import type { Database } from './database.ts';

export type OperationOf<Name extends keyof Operations> = (
  db: Database,
  input: Operations[Name]['input'],
  now: number,
) => Operations[Name]['output'];

export type OperationTable<Names extends keyof Operations = keyof Operations> = {
  readonly [Name in Names]: OperationOf<Name>;
};

export function writeEvent(db: Database, taskId: string, type: string, now: number): void {
  db.run('INSERT INTO events (task_id, type, created_at) VALUES ($taskId, $type, $now)', {
    taskId,
    type,
    now,
  });
}

export function writeAudit(
  db: Database,
  actor: string,
  action: string,
  subject: string,
  detail: object,
  now: number,
): void {
  db.run(
    `INSERT INTO audit_log (actor, action, subject, detail, created_at)
     VALUES ($actor, $action, $subject, $detail, $now)`,
    { actor, action, subject, detail: JSON.stringify(detail), now },
  );
}
