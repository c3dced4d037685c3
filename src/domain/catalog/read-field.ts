// One field of a request: its value as understood, or the sentences that say what is wrong (contract §1.7).
import type { JsonValue } from '../../kernel/json.ts';
import { isPresent, isStorableText, readEnum } from './lenient.ts';
import type { FieldSpec } from './model.ts';

export type FieldResult = { value: JsonValue } | { sentences: string[] };

/** Whether an http(s) URL may be reached as far as its form tells. */
export type IsPublicUrl = (url: string) => boolean;

export function readField(
  name: string,
  spec: FieldSpec,
  value: JsonValue,
  isPublicUrl: IsPublicUrl,
): FieldResult {
  switch (spec.type) {
    case 'string':
      return readString(name, spec, value);
    case 'integer':
      return readInteger(name, spec, value);
    case 'boolean':
      return typeof value === 'boolean' ? { value } : wrong(`${name} must be a boolean`);
    case 'url':
      return readUrl(name, value, isPublicUrl);
    case 'image_url':
      return one(name, value, isPublicUrl);
    case 'image_url_list':
      return readImageUrls(name, spec, value, isPublicUrl);
  }
}

function wrong(...sentences: string[]): FieldResult {
  return { sentences };
}

function readString(name: string, spec: FieldSpec, value: JsonValue): FieldResult {
  if (typeof value !== 'string') return wrong(`${name} must be a string`);
  if (!isStorableText(value)) return wrong(`${name} must be valid Unicode text`);
  if (spec.enum) {
    const read = readEnum(value, spec.enum);
    return read === null ? wrong(mustBeOneOf(name, spec.enum)) : { value: read };
  }
  const max = spec.max_length;
  if (max === undefined || value.length <= max) return { value };
  // Characters, not UTF-16 units; counted only where it can matter.
  const isLong = value.length > max * 2 || [...value].length > max;
  return isLong ? wrong(`${name} must be at most ${max} characters`) : { value };
}

function readInteger(name: string, spec: FieldSpec, value: JsonValue): FieldResult {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    return wrong(`${name} must be an integer`);
  }
  if (spec.enum && !spec.enum.includes(value)) return wrong(mustBeOneOf(name, spec.enum));
  return { value };
}

function mustBeOneOf(name: string, allowed: readonly (string | number)[]): string {
  return `${name} must be one of: ${allowed.join(', ')}`;
}

function readUrl(name: string, value: JsonValue, isPublicUrl: IsPublicUrl): FieldResult {
  if (typeof value !== 'string') return wrong(`${name} must be a string`);
  if (!isStorableText(value)) return wrong(`${name} must be valid Unicode text`);
  const isGood = value.length <= 8192 && isPublicUrl(value.trim());
  return isGood ? { value: value.trim() } : wrong(`${name} must be a public http or https URL`);
}

function one(name: string, value: JsonValue, isPublicUrl: IsPublicUrl): FieldResult {
  if (typeof value !== 'string') return wrong(`${name} must be a string`);
  const text = value.trim();
  if (/^data:/i.test(text)) return { value: text };
  if (!/^https?:/i.test(text)) return wrong(`${name} must be an http, https or data URL`);
  return readUrl(name, text, isPublicUrl);
}

function readImageUrls(
  name: string,
  spec: FieldSpec,
  value: JsonValue,
  isPublicUrl: IsPublicUrl,
): FieldResult {
  if (!Array.isArray(value)) return wrong(`${name} must be an array`);
  const items = value as readonly JsonValue[];
  const { min_items: min = 0, max_items: max = Number.MAX_SAFE_INTEGER } = spec;
  if (items.length < min || items.length > max) {
    return wrong(`${name} must contain between ${min} and ${max} items`);
  }
  const read = items.map((item, index) => {
    if (!isPresent(item)) return wrong(`${name}[${index}] is required`);
    return one(`${name}[${index}]`, item, isPublicUrl);
  });
  const sentences = read.flatMap((result) => ('sentences' in result ? result.sentences : []));
  if (sentences.length > 0) return { sentences };
  return { value: read.flatMap((result) => ('value' in result ? [result.value] : [])) };
}
