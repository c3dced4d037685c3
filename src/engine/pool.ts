// The engine's threads: made when first needed, kept, replaced when they crash.
import { Worker } from 'node:worker_threads';
import type { Job, JobResult } from './worker.ts';

type Reply = { ok: true; result: JobResult } | { ok: false; message: string };

export interface Pool {
  readonly size: number;
  /** Runs a job on thread `index`; one job a thread at a time. Rejects when the job or the thread fails. */
  run(index: number, job: Job): Promise<JobResult>;
  stop(): Promise<void>;
}

export function createPool(size: number): Pool {
  const workers: (Worker | null)[] = Array.from({ length: size }, () => null);

  function worker(index: number): Worker {
    const known = workers[index];
    if (known) return known;
    const made = new Worker(new URL(`./worker${import.meta.url.slice(-3)}`, import.meta.url));
    // An idle thread must not keep the process alive.
    made.unref();
    made.once('exit', () => {
      if (workers[index] === made) workers[index] = null;
    });
    workers[index] = made;
    return made;
  }

  return {
    size,
    run(index, job) {
      return new Promise((resolve, reject) => {
        const thread = worker(index);
        thread.ref();
        const settle = () => {
          thread.unref();
          thread.off('message', onMessage);
          thread.off('error', onError);
          thread.off('exit', onExit);
        };
        const onMessage = (reply: Reply) => {
          settle();
          if (reply.ok) resolve(reply.result);
          else reject(new Error(reply.message));
        };
        const onError = (error: Error) => {
          settle();
          workers[index] = null;
          reject(error);
        };
        const onExit = () => {
          settle();
          reject(new Error('the drawing thread ended'));
        };
        thread.on('message', onMessage);
        thread.on('error', onError);
        thread.on('exit', onExit);
        thread.postMessage(job);
      });
    },
    async stop() {
      await Promise.all(workers.map((thread) => thread?.terminate()));
    },
  };
}
