// How values are read: what counts as present, and the forgiving spelling of enums (contract §1.7, §3.1).
import type { JsonValue } from '../../kernel/json.ts';

/** `false` and `0` are present; null and blank strings are not; an array is when any element is. */
export function isPresent(value: JsonValue | undefined): value is JsonValue {
  if (value === null || value === undefined) return false;
  if (typeof value === 'string') return value.trim() !== '';
  if (Array.isArray(value)) return value.some((item) => isPresent(item));
  return true;
}

/** `2K`, `３：４`, `16x9`, ` 16 : 9 ` → the listed spelling; null when nothing listed is meant. */
export function readEnum(
  text: string,
  allowed: readonly (string | number)[],
): string | number | null {
  const wanted = normalise(text);
  return allowed.find((value) => normalise(String(value)) === wanted) ?? null;
}

function normalise(text: string): string {
  if (text.length > 64) return text;
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\s+/g, '')
    .replace(/(?<=\d)[x×*/∶-](?=\d)/g, ':');
}

/** Lone surrogates and U+0000 cannot be stored by every engine. */
export function isStorableText(text: string): boolean {
  return text.isWellFormed() && !text.includes('\u0000');
}
