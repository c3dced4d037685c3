// Outputs by URL token, and what may be deleted.
import { lowestUuid } from '../../kernel/ids.ts';
import { toOutput } from '../rows/to-domain.ts';
import type { OperationTable } from './operation.ts';

type Names = 'outputs.find' | 'outputs.expire' | 'blobs.named' | 'inputs.erase';

export const outputOperations: OperationTable<Names> = {
  'outputs.find'(db, { token }, now) {
    const row = db.get(
      `SELECT outputs.* FROM outputs JOIN tasks ON tasks.id = outputs.task_id
       WHERE token = $token AND tasks.status = 'completed'`,
      { token },
    );
    if (!row) return null;
    const output = toOutput(row);
    return { output, expired: row['expired'] === 1 || output.expiresAt <= now };
  },

  'outputs.expire'(db, { limit }, now) {
    const rows = db.all(
      'SELECT task_id, idx, blob_key FROM outputs WHERE expired = 0 AND expires_at <= $now LIMIT $limit',
      { now, limit },
    );
    for (const { task_id: id, idx } of rows) {
      const taskId = String(id);
      db.run('UPDATE outputs SET expired = 1 WHERE task_id = $taskId AND idx = $index', {
        taskId,
        index: Number(idx),
      });
      db.run(
        'UPDATE tasks SET outputs_expired_at = $now WHERE id = $taskId AND outputs_expired_at IS NULL',
        { taskId, now },
      );
    }
    return rows.map((row) => String(row['blob_key']));
  },

  'blobs.named'(db, { keys }) {
    const list = JSON.stringify(keys);
    const rows = db.all(
      `SELECT value AS key FROM json_each($list) WHERE
         EXISTS (SELECT 1 FROM outputs WHERE blob_key = value AND expired = 0)
         OR EXISTS (SELECT 1 FROM input_blobs WHERE blob_key = value)`,
      { list },
    );
    return rows.map((row) => String(row['key']));
  },

  'inputs.erase'(db, { afterMs, limit }, now) {
    const before = now - afterMs;
    // By age of the ids of inputs still there: those of younger tasks, and tasks erased long ago, are never looked at.
    const rows = db.all(
      `SELECT id FROM task_inputs CROSS JOIN tasks ON tasks.id = task_inputs.task_id
       WHERE task_inputs.task_id < $end AND finished_at <= $before LIMIT $limit`,
      { end: lowestUuid(before), before, limit },
    );
    return rows.flatMap(({ id }) => {
      const taskId = String(id);
      const blobs = db.all('SELECT blob_key FROM input_blobs WHERE task_id = $taskId', { taskId });
      db.run('DELETE FROM input_blobs WHERE task_id = $taskId', { taskId });
      db.run('DELETE FROM task_inputs WHERE task_id = $taskId', { taskId });
      return blobs.map((row) => String(row['blob_key']));
    });
  },
};
