// Creates, status, list and cancel: parse, call the domain, answer.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { createQuery, listQuery, waitQuery } from '../contract/schemas.ts';
import {
  cancelTask,
  createTask,
  dryRun,
  getTask,
  listTasks,
  taskToCreateView,
  taskToResultView,
  taskToView,
  waitForTask,
} from '../domain/tasks/index.ts';
import { isTerminal, type Task } from '../domain/tasks/model.ts';
import { AppError } from '../kernel/app-error.ts';
import { parseTaskId } from '../kernel/ids.ts';
import type { JsonObject } from '../kernel/json.ts';
import { type Door, type Handler, param } from './door.ts';
import {
  readClientRequestId,
  readIdempotencyKey,
  readMaxCost,
  readPreferredWait,
} from './headers.ts';
import { readQuery } from './query.ts';

const LIST_LIMIT = 20;

interface CreateRoute {
  flavour: 'v1' | 'api';
  /** Null: named in the path. */
  action: string | null;
}

export function createHandler({ flavour, action }: CreateRoute): Handler {
  return async (door, request, reply) => {
    if (door.draining.aborted) {
      const sentence =
        'The gateway is stopping and takes no new work. Send this again in a moment.';
      throw new AppError('shutting_down', sentence, { retryAfterSeconds: 2 });
    }
    const clientRequestId = readClientRequestId(request);
    if (clientRequestId !== null) reply.header('x-client-request-id', clientRequestId);
    const actor = door.actorOf(request);
    const service = flavour === 'api' ? param(request, 'service') : null;
    const named = action ?? param(request, 'action');
    const input = {
      flavour,
      service,
      action: named,
      path: service === null ? `/v1/${named}` : `/api/v1/${service}/${named}`,
      body: request.body as JsonObject,
      idempotencyKey: readIdempotencyKey(request),
      clientRequestId,
      maxCostCents: readMaxCost(request),
    };
    if (readQuery(createQuery, request).dry_run === 'true') {
      return dryRun(door.ctx, actor, input);
    }
    const { task: created, replayed } = await createTask(door.ctx, actor, input);
    const waitSeconds = readPreferredWait(request);
    const task = waitSeconds > 0 ? await wait(door, request, created, waitSeconds) : created;
    setTaskHeaders(reply, task);
    const { publicUrl } = door.ctx.settings;
    if (isTerminal(task.status) && waitSeconds > 0) return taskToView(task, { flavour, publicUrl });
    return taskToCreateView(task, { flavour, publicUrl, replayed });
  };
}

export function statusHandler(shape: 'v1' | 'api' | 'result'): Handler {
  return async (door, request, reply) => {
    const query = readQuery(waitQuery, request);
    const waitSeconds = query.wait ?? readPreferredWait(request);
    const found = await getTask(door.ctx, door.actorOf(request), readTaskId(request));
    requireSamePath(request, found);
    const task = waitSeconds > 0 ? await wait(door, request, found, waitSeconds) : found;
    setTaskHeaders(reply, task);
    const { publicUrl } = door.ctx.settings;
    if (shape === 'result') return taskToResultView(task, { publicUrl });
    return taskToView(task, { flavour: shape, publicUrl });
  };
}

export const listHandler: Handler = async (door, request) => {
  const query = readQuery(listQuery, request);
  const after = query.after === undefined ? null : parseTaskId(query.after);
  if (query.after !== undefined && after === null) {
    const sentence = 'after must be the id of one of your tasks';
    throw new AppError('invalid_request', sentence, { fields: { after: [sentence] } });
  }
  const { tasks, hasMore } = await listTasks(door.ctx, door.actorOf(request), {
    after,
    limit: query.limit ?? LIST_LIMIT,
    clientRequestId: query.client_request_id ?? null,
  });
  const { publicUrl } = door.ctx.settings;
  return {
    object: 'list',
    data: tasks.map((task) => taskToView(task, { flavour: 'v1', publicUrl })),
    has_more: hasMore,
    first_id: tasks[0]?.id ?? null,
    last_id: tasks.at(-1)?.id ?? null,
  };
};

export const cancelHandler: Handler = async (door, request, reply) => {
  const task = await cancelTask(door.ctx, door.actorOf(request), readTaskId(request));
  setTaskHeaders(reply, task);
  return taskToView(task, { flavour: 'v1', publicUrl: door.ctx.settings.publicUrl });
};

/** Either spelling; anything else is `invalid_resource_id`. */
export function readTaskId(request: FastifyRequest): string {
  const text = param(request, 'id');
  const taskId = parseTaskId(text);
  if (taskId !== null) return taskId;
  throw new AppError(
    'invalid_resource_id',
    'The id in the path is no task id: expected a UUID, or tsk_ and 26 characters.',
  );
}

export function setTaskHeaders(reply: FastifyReply, task: Task): void {
  reply.header('x-runapi-task-id', task.id);
  if (task.provider !== null) reply.header('x-runapi-provider', task.provider);
  if (task.clientRequestId !== null) reply.header('x-client-request-id', task.clientRequestId);
}

/** /api/v1/<service>[/<action>]/<id> names its task's own service and action, else there is none (§1.5). */
function requireSamePath(request: FastifyRequest, task: Task): void {
  const service = param(request, 'service').replaceAll('-', '_');
  const action = param(request, 'action').replaceAll('-', '_');
  const isSame =
    (service === '' || service === task.service) && (action === '' || action === task.action);
  if (isSame) return;
  throw new AppError('not_found', `There is no task ${task.id} of ${service}/${action}.`);
}

/** Ends early when the client leaves or the gateway drains. */
async function wait(
  door: Door,
  request: FastifyRequest,
  task: Task,
  seconds: number,
): Promise<Task> {
  const left = new AbortController();
  const onClose = () => left.abort();
  request.raw.socket.once('close', onClose);
  try {
    const signal = AbortSignal.any([left.signal, door.draining]);
    return await waitForTask(door.ctx, door.actorOf(request), task.id, {
      waitMs: seconds * 1000,
      signal,
    });
  } finally {
    request.raw.socket.off('close', onClose);
  }
}
