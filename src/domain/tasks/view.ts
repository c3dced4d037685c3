// A task as callers see it (contract §1.4–1.6, §1.8, and the additive fields of DESIGN §5).

import { errorBody } from '../../contract/errors.ts';
import { TASK_ERRORS } from '../../contract/task-errors.ts';
import { AppError } from '../../kernel/app-error.ts';
import { uuidToTaskId } from '../../kernel/ids.ts';
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import { microCentsToCents, microCentsToUsd } from '../../kernel/money.ts';
import { isTerminal, type OutputImage, type Task } from './model.ts';

interface ViewOptions {
  /** The route that was asked decides the shape. */
  flavour: 'v1' | 'api';
  publicUrl: string;
}

/** The Task envelope of the query routes. */
export function taskToView(task: Task, options: ViewOptions): JsonObject {
  return {
    ...identity(task, options),
    created_at: toIso(task.createdAt),
    ...(task.finishedAt === null ? {} : { finished_at: toIso(task.finishedAt) }),
    ...result(task, options.publicUrl),
    provider: task.provider,
    warnings: task.warnings.map(({ code, message }) => ({ code, message })),
    interpretation: { ...task.interpretation },
    urls: urls(task, options),
  };
}

/** The answer to a create; a replay says so and shows the task's present status. */
export function taskToCreateView(
  task: Task,
  options: ViewOptions & { replayed: boolean },
): JsonObject {
  return {
    ...identity(task, options),
    ...(options.replayed ? { task_replayed: true } : {}),
    quote: { amount_cents: microCentsToCents(task.quote.amount) },
    warnings: task.warnings.map(({ code, message }) => ({ code, message })),
    interpretation: { ...task.interpretation },
    urls: urls(task, options),
  };
}

/** The Task Result of `/api/v1/tasks/<id>`: the envelope, and once terminal the response it stands for. */
export function taskToResultView(task: Task, options: { publicUrl: string }): JsonObject {
  const envelope = taskToView(task, { flavour: 'api', publicUrl: options.publicUrl });
  if (!isTerminal(task.status)) return envelope;
  const response =
    task.failure === null
      ? { status: 200, body: envelope }
      : {
          status: TASK_ERRORS[task.failure.code].status,
          body: errorBody(new AppError(task.failure.code, task.failure.message)),
        };
  return {
    ...envelope,
    response: { ...response, content_type: 'application/json', headers: {} },
  };
}

function identity(task: Task, { flavour }: ViewOptions): JsonObject {
  return {
    id: task.id,
    task_id: flavour === 'v1' ? uuidToTaskId(task.id) : task.id,
    status: task.status,
    model: task.modelAsSent,
    ...(task.clientRequestId === null ? {} : { client_request_id: task.clientRequestId }),
  };
}

function result(task: Task, publicUrl: string): JsonObject {
  if (task.failure !== null) return { error: task.failure.message, error_code: task.failure.code };
  if (task.status !== 'completed') return {};
  return {
    images: task.outputs.map((output) => imageView(output, publicUrl)),
    usage: {
      cost: microCentsToUsd(task.charged ?? task.quote.amount),
      generated_images: task.outputs.length,
    },
    ...(task.outputsExpiredAt === null ? {} : { outputs_expired_at: toIso(task.outputsExpiredAt) }),
  };
}

function imageView(output: OutputImage, publicUrl: string): JsonValue {
  return {
    url: `${publicUrl}${outputPath(output)}`,
    width: output.width,
    height: output.height,
    content_type: output.contentType,
    size_bytes: output.sizeBytes,
    sha256: output.sha256,
    expires_at: toIso(output.expiresAt),
    ...(output.processed.length === 0 ? {} : { processed: [...output.processed] }),
  };
}

/** The public path of an output; the token is the right to read it. */
export function outputPath(output: Pick<OutputImage, 'token' | 'contentType'>): string {
  return `/outputs/${output.token}.${output.contentType.replace('image/', '').replace('jpeg', 'jpg')}`;
}

function urls(task: Task, { flavour, publicUrl }: ViewOptions): JsonObject {
  const own = `${publicUrl}/v1/tasks/${uuidToTaskId(task.id)}`;
  const get =
    flavour === 'v1' ? own : `${publicUrl}/api/v1/${task.service}/${task.action}/${task.id}`;
  return { get, events: `${own}/events`, cancel: `${own}/cancel` };
}

function toIso(atMs: number): string {
  return new Date(atMs).toISOString();
}
