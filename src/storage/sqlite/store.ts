// The main-thread half: collects operations while a batch is in flight and sends them all as the next one,
// so that many callers share one fsync.
import { Worker } from 'node:worker_threads';
import type { GatewayStore } from '../../domain/operations.ts';
import { AppError } from '../../kernel/app-error.ts';
import type { Answer, Call } from './batch.ts';
import type { DatabaseOptions } from './database.ts';
import type { Request } from './worker.ts';

type Message =
  | { kind: 'ready' }
  | { kind: 'refused'; code: string; message: string }
  | { kind: 'answers'; answers: readonly Answer[] };

interface Waiting {
  resolve(output: never): void;
  reject(error: Error): void;
}

export interface SqliteStore extends GatewayStore {
  /** Operations answered, and the transactions that carried them. */
  stats(): { operations: number; batches: number };
  /** For tests: moves the database's clock forward. */
  advanceClock(ms: number): void;
}

/** A batch takes at most this many, so that one answer does not wait for thousands. */
const BATCH_MAX = 512;

/** Opens the data folder. Throws AppError `data_dir_in_use` or `config_invalid`. */
export async function createSqliteStore(options: DatabaseOptions): Promise<SqliteStore> {
  const workerUrl = new URL(`./worker${import.meta.url.slice(-3)}`, import.meta.url);
  const worker = new Worker(workerUrl, { workerData: options });
  await started(worker);
  return connect(worker);
}

function started(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message: Message) => {
      worker.off('error', reject);
      if (message.kind === 'ready') return resolve();
      const refused =
        message.kind === 'refused' ? message : { code: 'internal_error', message: '' };
      void worker.terminate();
      return reject(new AppError(refused.code, refused.message));
    });
  });
}

function connect(worker: Worker): SqliteStore {
  const batches = new BatchSender(worker);
  return {
    run: (name, input) => batches.run(name, input),
    stop: () => batches.stop(),
    stats: () => ({ ...batches.stats }),
    advanceClock: (ms) => worker.postMessage({ kind: 'advanceClock', ms } satisfies Request),
  };
}

class BatchSender {
  readonly stats = { operations: 0, batches: 0 };
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #queue: Call[] = [];
  #isInFlight = false;
  #nextId = 1;
  /** Why nothing is stored any more; null while all is well. */
  #gone: string | null = null;
  #onIdle: (() => void) | null = null;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (message: Message) => this.#receive(message));
    worker.on('error', (error) => this.#fall(`the storage thread failed: ${error.message}`));
    worker.on('exit', () => this.#fall('the storage thread has ended'));
  }

  run<Output>(name: string, input: unknown): Promise<Output> {
    return new Promise((resolve, reject) => {
      if (this.#gone !== null) {
        reject(unavailable(this.#gone));
        return;
      }
      const id = this.#nextId;
      this.#nextId += 1;
      this.#waiting.set(id, { resolve: resolve as Waiting['resolve'], reject });
      this.#queue.push({ id, name, input });
      // Deferred by a microtask, so that the operations of one turn share a batch.
      if (this.#queue.length === 1) queueMicrotask(() => this.#pump());
    });
  }

  /** Answers what was asked, then closes the database. */
  async stop(): Promise<void> {
    if (this.#gone !== null) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      this.#pump();
    });
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    this.#worker.postMessage({ kind: 'stop' } satisfies Request);
    await exited;
  }

  #pump(): void {
    if (this.#isInFlight || this.#gone !== null) return;
    if (this.#queue.length === 0) {
      this.#onIdle?.();
      return;
    }
    const calls = this.#queue.slice(0, BATCH_MAX);
    this.#queue = this.#queue.slice(BATCH_MAX);
    this.#isInFlight = true;
    this.stats.batches += 1;
    this.#worker.postMessage({ kind: 'batch', calls } satisfies Request);
  }

  #receive(message: Message): void {
    if (message.kind !== 'answers') return;
    this.#isInFlight = false;
    for (const answer of message.answers) this.#settle(answer);
    this.#pump();
  }

  #settle(answer: Answer): void {
    const caller = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    this.stats.operations += 1;
    if (answer.ok) caller?.resolve(answer.output as never);
    else if (answer.dropped) caller?.reject(unavailable(answer.message));
    else caller?.reject(new Error(answer.message));
  }

  #fall(reason: string): void {
    if (this.#gone !== null) return;
    this.#gone = reason;
    for (const caller of this.#waiting.values()) caller.reject(unavailable(reason));
    this.#waiting.clear();
    this.#onIdle?.();
  }
}

function unavailable(reason: string): AppError {
  return new AppError('storage_unavailable', 'The gateway could not store this. Try again.', {
    retryAfterSeconds: 1,
    detail: reason,
  });
}
