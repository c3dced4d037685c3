// The erasable inputs of a task, and which blobs they name.
import type { TaskInput, TaskSource } from '../../domain/tasks/model.ts';
import { toInput } from '../rows/to-domain.ts';
import type { Database } from './database.ts';

export function writeInput(db: Database, taskId: string, input: TaskInput): void {
  db.run(
    'INSERT INTO task_inputs (task_id, prompt, sources, mask) VALUES ($taskId, $prompt, $sources, $mask)',
    { taskId, prompt: input.prompt, ...sourceColumns(input.sources, input.mask) },
  );
  nameBlobs(db, taskId, input.sources, input.mask);
}

export function replaceSources(
  db: Database,
  taskId: string,
  sources: readonly TaskSource[],
  mask: TaskSource | null,
): void {
  db.run('UPDATE task_inputs SET sources = $sources, mask = $mask WHERE task_id = $taskId', {
    taskId,
    ...sourceColumns(sources, mask),
  });
  db.run('DELETE FROM input_blobs WHERE task_id = $taskId', { taskId });
  nameBlobs(db, taskId, sources, mask);
}

export function readInput(db: Database, taskId: string): TaskInput {
  const row = db.get('SELECT * FROM task_inputs WHERE task_id = $taskId', { taskId });
  if (!row) throw new Error(`the inputs of task ${taskId} are erased`);
  return toInput(row);
}

function sourceColumns(sources: readonly TaskSource[], mask: TaskSource | null) {
  return { sources: JSON.stringify(sources), mask: mask && JSON.stringify(mask) };
}

function nameBlobs(
  db: Database,
  taskId: string,
  sources: readonly TaskSource[],
  mask: TaskSource | null,
): void {
  for (const source of mask ? [...sources, mask] : sources) {
    if (source.kind !== 'blob') continue;
    db.run('INSERT INTO input_blobs (blob_key, task_id) VALUES ($blobKey, $taskId)', {
      blobKey: source.blobKey,
      taskId,
    });
  }
}
