// The one thread that owns the database.
import { parentPort, workerData } from 'node:worker_threads';
import { toError } from '../../kernel/app-error.ts';
import { type Call, runBatch } from './batch.ts';
import { type DatabaseOptions, openDatabase, StartError } from './database.ts';

export type Request =
  | { kind: 'batch'; calls: readonly Call[] }
  | { kind: 'advanceClock'; ms: number }
  | { kind: 'stop' };

const port = parentPort;
if (!port) throw new Error('this file is a worker');

try {
  const db = openDatabase(workerData as DatabaseOptions);
  port.on('message', (request: Request) => {
    if (request.kind === 'batch') {
      port.postMessage({ kind: 'answers', answers: runBatch(db, request.calls) });
    } else if (request.kind === 'advanceClock') {
      db.advanceClock(request.ms);
    } else {
      db.close();
      port.close();
    }
  });
  port.postMessage({ kind: 'ready' });
} catch (error) {
  const code = error instanceof StartError ? error.code : 'storage_unavailable';
  port.postMessage({ kind: 'refused', code, message: toError(error).message });
}
