// What a runner writes while it works: claims, attempts, outputs. Every write is fenced.
import type { Fence } from '../../domain/tasks/operations.ts';
import type { Database } from './database.ts';
import { readInput, replaceSources } from './inputs.ts';
import { type OperationTable, writeEvent } from './operation.ts';
import { listAttempts, requireTask } from './rows.ts';

type Names =
  | 'tasks.claim'
  | 'tasks.handBack'
  | 'tasks.startAttempt'
  | 'tasks.recordHandle'
  | 'tasks.recordSources'
  | 'tasks.recordOutput'
  | 'tasks.endAttempt';

/**
 * A processing task is abandoned when its owner's lease has run out by the database's clock. Looked for by dead owners,
 * which are few: looking at every running task made each claim as slow as there are tasks in flight.
 */
export const ABANDONED = `status = 'processing'
  AND owner IN (SELECT id FROM nodes WHERE lease_until <= $now)`;

/** The guard of every write by a runner: this owner, this claim, still processing, the lease still good. */
export function holds(db: Database, fence: Fence, now: number): boolean {
  const row = db.get(
    `SELECT 1 FROM tasks WHERE id = $taskId AND owner = $nodeId AND claim = $claim
       AND status = 'processing'
       AND EXISTS (SELECT 1 FROM nodes WHERE nodes.id = $nodeId AND nodes.lease_until > $now)`,
    { taskId: fence.taskId, nodeId: fence.nodeId, claim: fence.claim, now },
  );
  return row !== undefined;
}

export const runOperations: OperationTable<Names> = {
  'tasks.claim'(db, { nodeId, lane, limit, lostMax }, now) {
    const alive = db.get('SELECT 1 FROM nodes WHERE id = $nodeId AND lease_until > $now', {
      nodeId,
      now,
    });
    if (!alive) return [];
    const abandoned = db.all(
      `SELECT id FROM tasks WHERE lane = $lane AND ${ABANDONED}
         AND deadline_at > $now AND lost_count + 1 < $lostMax
       ORDER BY created_at, id LIMIT $limit`,
      { lane, now, lostMax, limit },
    );
    const pending = db.all(
      `SELECT id FROM tasks WHERE lane = $lane AND status = 'pending' AND deadline_at > $now
       ORDER BY created_at, id LIMIT $limit`,
      { lane, now, limit: limit - abandoned.length },
    );
    for (const { id } of abandoned) take(db, String(id), nodeId, 1);
    for (const { id } of pending) {
      take(db, String(id), nodeId, 0);
      writeEvent(db, String(id), 'task.processing', now);
    }
    return [...abandoned, ...pending].map(({ id }) => claimed(db, String(id), now));
  },

  'tasks.handBack'(db, fence, now) {
    if (!holds(db, fence, now)) return { lost: true };
    db.run("UPDATE tasks SET status = 'pending', owner = NULL WHERE id = $taskId", {
      taskId: fence.taskId,
    });
    return { lost: false };
  },

  'tasks.startAttempt'(db, { provider, ...fence }, now) {
    if (!holds(db, fence, now)) return { lost: true };
    const { taskId, claim } = fence;
    const row = db.get(
      'SELECT COALESCE(MAX(number), 0) + 1 AS number FROM attempts WHERE task_id = $taskId',
      { taskId },
    );
    const number = Number(row?.['number']);
    db.run(
      `INSERT INTO attempts (task_id, number, provider, state, claim, started_at)
       VALUES ($taskId, $number, $provider, 'started', $claim, $now)`,
      { taskId, number, provider, claim, now },
    );
    db.run('UPDATE tasks SET provider = $provider WHERE id = $taskId', { taskId, provider });
    return { lost: false, number };
  },

  'tasks.recordHandle'(db, { attempt, handle, ...fence }, now) {
    if (!holds(db, fence, now)) return { lost: true };
    db.run(
      `UPDATE attempts SET state = 'submitted', handle = $handle, claim = $claim
       WHERE task_id = $taskId AND number = $attempt AND state IN ('started', 'submitted')`,
      { taskId: fence.taskId, attempt, claim: fence.claim, handle: JSON.stringify(handle) },
    );
    return { lost: false };
  },

  'tasks.recordSources'(db, { sources, mask, ...fence }, now) {
    if (!holds(db, fence, now)) return { lost: true };
    replaceSources(db, fence.taskId, sources, mask);
    return { lost: false };
  },

  'tasks.recordOutput'(db, { attempt, output, retentionMs, ...fence }, now) {
    if (!holds(db, fence, now)) return { lost: true };
    // OR IGNORE by (task, index): whichever attempt brought it first, it counts once.
    db.run(
      `INSERT OR IGNORE INTO outputs (task_id, idx, attempt, token, blob_key, content_type, width,
         height, size_bytes, sha256, processed, expires_at)
       VALUES ($taskId, $index, $attempt, $token, $blobKey, $contentType, $width, $height,
         $sizeBytes, $sha256, $processed, $expiresAt)`,
      {
        taskId: fence.taskId,
        attempt,
        ...output,
        processed: JSON.stringify(output.processed),
        expiresAt: now + retentionMs,
      },
    );
    return { lost: false };
  },

  'tasks.endAttempt'(db, input, now) {
    db.run(
      `UPDATE attempts SET state = $state, failure_class = $failureClass, detail = $detail,
         upstream_cost = $upstreamCost, finished_at = $now
       WHERE task_id = $taskId AND number = $attempt AND finished_at IS NULL`,
      { ...input, now },
    );
    return {};
  },
};

function take(db: Database, taskId: string, nodeId: string, lost: number): void {
  db.run(
    `UPDATE tasks SET status = 'processing', owner = $nodeId, claim = claim + 1,
       lost_count = lost_count + $lost WHERE id = $taskId`,
    { taskId, nodeId, lost },
  );
}

function claimed(db: Database, taskId: string, now: number) {
  const row = db.get('SELECT claim FROM tasks WHERE id = $taskId', { taskId });
  const task = requireTask(db, taskId);
  return {
    task,
    remainingMs: task.deadlineAt - now,
    claim: Number(row?.['claim']),
    input: readInput(db, taskId),
    attempts: listAttempts(db, taskId),
  };
}
