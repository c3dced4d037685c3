// Server-sent events of one task: what the store knows after Last-Event-ID, then the news as it comes.
import type { ServerResponse } from 'node:http';
import type { Actor } from '../domain/context.ts';
import type { TaskNews } from '../domain/events/hub.ts';
import { getTask, listTaskEvents, taskToView } from '../domain/tasks/index.ts';
import { isTerminal, type Task } from '../domain/tasks/model.ts';
import type { TaskEvent } from '../domain/tasks/operations.ts';
import { AppError } from '../kernel/app-error.ts';
import { uuidToTaskId } from '../kernel/ids.ts';
import { type Door, type Handler, header } from './door.ts';
import { readTaskId } from './task-routes.ts';

const PROGRESS_GAP_MS = 500;
const HEARTBEAT_MS = 15_000;
const RETRY_MS = 2_000;
/** A client that reads slower than this much is let go; it resumes by Last-Event-ID. */
const BUFFERED_BYTES_MAX = 1024 * 1024;

export const eventsHandler: Handler = async (door, request, reply) => {
  const taskId = readTaskId(request);
  const actor = door.actorOf(request);
  // Errors keep their status: everything that can refuse comes before the stream begins.
  await getTask(door.ctx, actor, taskId);
  if (door.draining.aborted) {
    throw new AppError('shutting_down', 'The gateway is stopping.', { retryAfterSeconds: 2 });
  }
  const sent = header(request, 'last-event-id') ?? '';
  const afterSeq = /^\d{1,15}$/.test(sent) ? Number(sent) : 0;
  reply.hijack();
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    'x-request-id': request.id,
    'x-runapi-task-id': taskId,
  });
  await stream(door, actor, taskId, afterSeq, reply.raw);
};

function stream(
  door: Door,
  actor: Actor,
  taskId: string,
  afterSeq: number,
  out: ServerResponse,
): Promise<void> {
  return new Promise((resolve) => {
    const { ctx } = door;
    let isOver = false;
    const live = createLiveNews(out, ctx.settings.publicUrl, taskId);

    const finish = () => {
      if (isOver) return;
      isOver = true;
      unsubscribe();
      clearInterval(heartbeat);
      live.stop();
      door.draining.removeEventListener('abort', onDrain);
      out.end();
      resolve();
    };
    const onDrain = () => {
      out.write(`retry: ${RETRY_MS}\n: the gateway is stopping\n\n`);
      finish();
    };

    const readOn = createReader(door, actor, taskId, afterSeq, out, () => isOver, finish);

    // Before the first read, so that nothing falls between the two.
    const unsubscribe = ctx.events.subscribe(taskId, (news) => {
      if (out.writableLength > BUFFERED_BYTES_MAX) return finish();
      if (news.kind === 'state') void readOn();
      else live.tell(news);
    });
    const heartbeat = setInterval(() => out.write(': still here\n\n'), HEARTBEAT_MS);
    door.draining.addEventListener('abort', onDrain, { once: true });
    out.once('close', finish);
    out.write(`retry: ${RETRY_MS}\n\n`);
    void readOn();
  });
}

/** Reads what is new, in order; asked again while it reads, it reads once more. */
function createReader(
  door: Door,
  actor: Actor,
  taskId: string,
  afterSeq: number,
  out: ServerResponse,
  isOver: () => boolean,
  finish: () => void,
): () => Promise<void> {
  const { ctx } = door;
  let seq = afterSeq;
  let isReading = false;
  let isStale = false;

  async function readOnce(): Promise<void> {
    const events = await listTaskEvents(ctx, actor, taskId, seq);
    const task = await getTask(ctx, actor, taskId);
    const { publicUrl } = ctx.settings;
    for (const event of events) {
      seq = event.seq;
      const view = taskToView(asOf(task, event.type), { flavour: 'v1', publicUrl });
      write(out, event.type, view, event.seq);
    }
    // Also when the end was told before: a client that resumes after it has nothing to wait for.
    if (isTerminal(task.status)) finish();
  }

  return async () => {
    isStale = true;
    if (isReading) return;
    isReading = true;
    try {
      while (isStale && !isOver()) {
        isStale = false;
        await readOnce();
      }
    } catch (error) {
      ctx.log.warn({ err: error, taskId }, 'an event stream ended');
      out.write(`retry: ${RETRY_MS}\n\n`);
      finish();
    } finally {
      isReading = false;
    }
  };
}

/** The task as it was at an event that did not end it: later facts would contradict its name. */
function asOf(task: Task, type: TaskEvent['type']): Task {
  if (type === 'task.completed' || type === 'task.failed') return task;
  const status = type === 'task.pending' ? 'pending' : 'processing';
  return { ...task, status, failure: null, finishedAt: null, outputs: [] };
}

/** Progress at most twice a second, the latest value winning; previews at once. Neither has an event id. */
function createLiveNews(out: ServerResponse, publicUrl: string, taskId: string) {
  let lastAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | null = null;
  let latest = 0;
  const task_id = uuidToTaskId(taskId);
  const flush = () => {
    timer = null;
    lastAt = performance.now();
    write(out, 'task.progress', { id: taskId, task_id, progress: latest });
  };
  return {
    tell(news: Exclude<TaskNews, { kind: 'state' }>) {
      if (news.kind === 'partial') {
        const { index, path, contentType: content_type } = news;
        const url = `${publicUrl}${path}`;
        write(out, 'task.partial_image', { id: taskId, task_id, index, url, content_type });
        return;
      }
      latest = news.fraction;
      if (timer !== null) return;
      const waitMs = lastAt + PROGRESS_GAP_MS - performance.now();
      if (waitMs <= 0) flush();
      else timer = setTimeout(flush, waitMs);
    },
    stop() {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

function write(out: ServerResponse, event: string, data: object, id?: number): void {
  const idLine = id === undefined ? '' : `id: ${id}\n`;
  out.write(`${idLine}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
