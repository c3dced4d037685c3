// The closed list of error codes, and the one body that satisfies every client (contract §1.7).
import type { AppError } from '../kernel/app-error.ts';
import type { JsonObject } from '../kernel/json.ts';

interface ErrorSpec {
  status: number;
  /** OpenAI's family of the error. */
  type: string;
  title: string;
  /** Whether the same request may succeed later. */
  isRetryable: boolean;
}

export const ERRORS = {
  invalid_request: spec(400, 'invalid_request_error', 'A field is missing or wrong'),
  invalid_json: spec(400, 'invalid_request_error', 'The body is no JSON'),
  invalid_resource_id: spec(400, 'invalid_request_error', 'The id in the path is no id'),
  missing_api_key: spec(401, 'authentication_error', 'No API key was sent'),
  invalid_api_key: spec(401, 'authentication_error', 'The API key is unknown or revoked'),
  insufficient_credits: spec(402, 'insufficient_quota', 'The balance does not cover the price'),
  max_cost_exceeded: spec(402, 'insufficient_quota', 'The price is above what the caller allows'),
  permission_denied: spec(403, 'permission_error', 'The key may not do this'),
  not_found: spec(404, 'not_found_error', 'There is no such thing on this account'),
  route_not_found: spec(404, 'not_found_error', 'There is no such route'),
  method_not_allowed: spec(405, 'invalid_request_error', 'The route has another method'),
  request_conflict: spec(409, 'conflict_error', 'The idempotency key has another request'),
  output_expired: spec(410, 'not_found_error', 'The image was kept for its time and is deleted'),
  body_too_large: spec(413, 'invalid_request_error', 'The body is too large'),
  unsupported_media_type: spec(415, 'invalid_request_error', 'The body is not declared as JSON'),
  range_not_satisfiable: spec(416, 'invalid_request_error', 'The range lies outside the image'),
  expectation_failed: spec(417, 'invalid_request_error', 'The header Expect asks for the unknown'),
  rate_limited: spec(429, 'rate_limit_error', 'Too many requests', true),
  headers_too_large: spec(431, 'invalid_request_error', 'The headers are too large'),
  internal_error: spec(500, 'server_error', 'The gateway met an internal error', true),
  capacity: spec(503, 'server_error', 'More work is waiting than can be done in time', true),
  no_provider: spec(503, 'server_error', 'Nothing serves this model here', true),
  shutting_down: spec(503, 'server_error', 'The gateway is stopping', true),
  storage_unavailable: spec(503, 'server_error', 'The gateway could not store this', true),
  upstream_loop: spec(508, 'server_error', 'Gateways call each other in a circle'),
} as const satisfies Record<string, ErrorSpec>;

export type ErrorCode = keyof typeof ERRORS;

function spec(status: number, type: string, title: string, isRetryable = false): ErrorSpec {
  return { status, type, title, isRetryable };
}

/** The registry's entry; a code that is none of the doors' is an internal error. */
export function errorSpec(code: string): ErrorSpec & { code: string } {
  const isKnown = Object.hasOwn(ERRORS, code);
  const known: ErrorSpec = ERRORS[isKnown ? (code as ErrorCode) : 'internal_error'];
  return { ...known, code: isKnown ? code : 'internal_error' };
}

/** `errors` is an object of sentences by field, never an array; `param` is the first of them. */
export function errorBody(
  error: Pick<AppError, 'code' | 'message' | 'fields' | 'limitSource'>,
): JsonObject {
  const { type } = errorSpec(error.code);
  const fields = error.fields ?? {};
  const [param] = Object.keys(fields);
  return {
    error: {
      code: error.code,
      message: error.message,
      type,
      ...(param === undefined ? {} : { param }),
      ...(error.limitSource === undefined ? {} : { limit_source: error.limitSource }),
    },
    code: error.code,
    ...(param === undefined ? {} : { errors: fields }),
  };
}
