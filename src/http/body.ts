// From body bytes to a JSON object, with errors that say where (contract §1.3, §1.7).
import { AppError } from '../kernel/app-error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../kernel/json.ts';
import { findJsonMistake } from './json-mistake.ts';

/** Deeper nesting than any request has, and shallow enough for every recursive reader. */
const DEPTH_MAX = 64;

export function parseBody(bytes: Uint8Array): JsonObject {
  if (bytes.byteLength === 0) return {};
  const text = decode(bytes);
  if (text.trim() === '') return {};
  const value = parse(text);
  // PHP encodes an empty map as [] (contract §1.7).
  if (Array.isArray(value) && value.length === 0) return {};
  if (!isJsonObject(value)) {
    throw new AppError('invalid_json', 'The body must be a JSON object.');
  }
  if (isDeeper(value, DEPTH_MAX)) {
    throw new AppError('invalid_json', `The body is nested deeper than ${DEPTH_MAX} levels.`);
  }
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new AppError('invalid_json', 'The body is not valid UTF-8.');
  }
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    const { line, column } = position(text, findJsonMistake(text));
    throw new AppError(
      'invalid_json',
      `The body is no valid JSON: the mistake is at line ${line}, column ${column}.`,
    );
  }
}

function position(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at);
  return { line: before.split('\n').length, column: at - before.lastIndexOf('\n') };
}

function isDeeper(value: JsonValue, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((member) => isDeeper(member, levels - 1));
}
