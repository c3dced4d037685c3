// The one place where an error becomes a response.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { errorBody, errorSpec } from '../contract/errors.ts';
import { AppError, isAppError } from '../kernel/app-error.ts';
import type { Logger } from '../kernel/logger.ts';

export function answerError(
  log: Logger,
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const error = toAppError(thrown);
  const { status, code } = errorSpec(error.code);
  if (status >= 500) {
    const { detail } = error;
    log.error({ err: thrown, requestId: request.id, code, detail }, 'a request failed');
  }
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', error.retryAfterSeconds);
  if (error.taskId !== undefined) reply.header('x-runapi-task-id', error.taskId);
  // Framework errors, such as an undecodable path, come before the hooks that set it.
  reply.header('x-request-id', request.id);
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(status).type('application/json; charset=utf-8').send(errorBody(error));
}

/** Fastify's own errors by their status; everything unknown is ours, and says nothing of itself. */
function toAppError(thrown: unknown): AppError {
  if (isAppError(thrown)) {
    const isKnown = errorSpec(thrown.code).code === thrown.code;
    return isKnown ? thrown : internalError();
  }
  const status = (thrown as { statusCode?: unknown }).statusCode;
  if (status === 413) return new AppError('body_too_large', 'The body is larger than 64 MiB.');
  if (status === 415) return unsupportedMediaType('of another kind');
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new AppError('invalid_request', 'The request is malformed.');
  }
  return internalError();
}

function internalError(): AppError {
  return new AppError(
    'internal_error',
    'The gateway met an internal error. Report it with the X-Request-ID of this answer.',
  );
}

export function unsupportedMediaType(sent: string): AppError {
  return new AppError(
    'unsupported_media_type',
    `The header Content-Type must say application/json; it was ${sent}. With curl add: -H "Content-Type: application/json".`,
  );
}
