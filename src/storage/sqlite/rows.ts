// Reading tasks and what belongs to them.
import type { Attempt, Task } from '../../domain/tasks/model.ts';
import { toAttempt, toTask } from '../rows/to-domain.ts';
import type { Database, Row } from './database.ts';

export function findTask(db: Database, taskId: string): Task | null {
  const row = db.get('SELECT * FROM tasks WHERE id = $id', { id: taskId });
  return row ? readTask(db, row) : null;
}

/** For tasks that this transaction wrote itself. */
export function requireTask(db: Database, taskId: string): Task {
  const task = findTask(db, taskId);
  if (!task) throw new Error(`task ${taskId} is gone`);
  return task;
}

/** A row of `tasks` with its outputs; a pending one has none. */
export function readTask(db: Database, row: Row): Task {
  if (row['status'] === 'pending') return toTask(row, []);
  const sql = 'SELECT * FROM outputs WHERE task_id = $taskId ORDER BY idx';
  return toTask(row, db.all(sql, { taskId: String(row['id']) }));
}

export function listAttempts(db: Database, taskId: string): Attempt[] {
  const sql = 'SELECT * FROM attempts WHERE task_id = $taskId ORDER BY number';
  return db.all(sql, { taskId }).map(toAttempt);
}
