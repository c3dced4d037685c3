import { createHash } from 'node:crypto';
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';

/**
 * What makes two requests the same for an idempotency key (DESIGN §5.1): the route, and the caller's fields
 * as sent, without nulls and blanks. Before defaults and lenient readings, so that an upgrade never turns a
 * replay into a conflict.
 */
export function requestFingerprint(path: string, body: JsonObject): string {
  const route = path.replaceAll('-', '_');
  const text = `${route}\n${canonicalJson(withoutBlanks(body))}`;
  return createHash('sha256').update(text).digest('hex');
}

function withoutBlanks(value: JsonValue): JsonValue {
  if (!isJsonObject(value)) return value;
  const kept = Object.entries(value).filter(
    ([, member]) => member !== null && !(typeof member === 'string' && member.trim() === ''),
  );
  return Object.fromEntries(kept);
}
