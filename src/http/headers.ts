// Request headers that carry meaning, read strictly where they are ours and leniently where they are hints.
import type { FastifyRequest } from 'fastify';
import { AppError } from '../kernel/app-error.ts';
import { header } from './door.ts';

const LENGTH_MAX = 512;
const WAIT_SECONDS_MAX = 60;

/** The API key, from any of the three places where clients put it (contract §1.2). */
export function readToken(request: FastifyRequest): string | null {
  const authorization = header(request, 'authorization');
  const bearer = authorization && /^bearer\s+(.*)$/i.exec(authorization)?.[1];
  return bearer || header(request, 'x-api-key') || header(request, 'x-goog-api-key');
}

export function readIdempotencyKey(request: FastifyRequest): string | null {
  const key = header(request, 'idempotency-key');
  if (key === null) return null;
  if (key.length >= 1 && key.length <= LENGTH_MAX) return key;
  throw invalid('Idempotency-Key', `must be between 1 and ${LENGTH_MAX} characters`);
}

export function readClientRequestId(request: FastifyRequest): string | null {
  const id = header(request, 'x-client-request-id');
  if (id === null || id === '') return null;
  if (id.length <= LENGTH_MAX && /^[\x20-\x7e]+$/.test(id)) return id;
  throw invalid(
    'X-Client-Request-Id',
    `must be printable ASCII of at most ${LENGTH_MAX} characters`,
  );
}

/** `X-RunAPI-Max-Cost-Cents`: the dearest price the caller accepts. */
export function readMaxCost(request: FastifyRequest): number | null {
  const text = header(request, 'x-runapi-max-cost-cents');
  if (text === null) return null;
  if (/^\d{1,9}(\.\d{1,6})?$/.test(text)) return Number(text);
  throw invalid('X-RunAPI-Max-Cost-Cents', 'must be a number of US cents, such as 10');
}

/** `Prefer: wait=20` (RFC 7240): a preference, so what cannot be read is ignored. Seconds. */
export function readPreferredWait(request: FastifyRequest): number {
  const found = /(?:^|[,;\s])wait\s*=\s*"?(\d{1,6})/i.exec(header(request, 'prefer') ?? '')?.[1];
  return found === undefined ? 0 : Math.min(WAIT_SECONDS_MAX, Number(found));
}

/** A caller's own request id when it is harmless, so that logs of both sides meet. */
export function readRequestId(headers: Readonly<Record<string, unknown>>): string | null {
  const sent = headers['x-request-id'];
  return typeof sent === 'string' && /^[\x21-\x7e]{1,128}$/.test(sent) ? sent : null;
}

function invalid(field: string, what: string): AppError {
  const sentence = `${field} ${what}`;
  return new AppError('invalid_request', sentence, { fields: { [field]: [sentence] } });
}
