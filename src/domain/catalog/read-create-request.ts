// A create's body, understood or refused: all field errors at once, in the contract's wording.
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import { isPresent } from './lenient.ts';
import type { Catalog, FieldSpec, RuleSpec, ServiceSpec } from './model.ts';
import { type IsPublicUrl, readField } from './read-field.ts';
import { type Meaning, readApiModel, readV1Model } from './read-model.ts';

export interface CatalogWarning {
  code: string;
  message: string;
}

export interface CreateRequest {
  service: string;
  action: string;
  /** Canonical. */
  model: string;
  modelAsSent: string;
  /** Empty where it is optional and absent. */
  prompt: string;
  sourceUrls: readonly string[];
  maskUrl: string | null;
  callbackUrl: string | null;
  /** Known fields as understood, defaults filled in; without model, prompt and URLs. */
  params: JsonObject;
  outputCount: number;
  outputResolution: string | null;
  aspectRatio: string;
  quality: string | null;
  warnings: readonly CatalogWarning[];
}

export type FieldErrors = Record<string, string[]>;

export type ReadCreateResult =
  | { ok: true; request: CreateRequest }
  | { ok: false; fields: FieldErrors }
  /** There is no such service or action. */
  | { ok: false; notFound: true };

const KEPT_APART = new Set(['model', 'prompt', 'source_image_urls', 'mask_url', 'callback_url']);

export function readCreateRequest(
  catalog: Catalog,
  input: {
    flavour: 'v1' | 'api';
    service: string | null;
    action: string;
    body: JsonObject;
    isPublicUrl: IsPublicUrl;
  },
): ReadCreateResult {
  const { body, isPublicUrl } = input;
  const sent = own(body, 'model');
  const result =
    input.service === null
      ? readV1Model(catalog, input.action, sent)
      : readApiModel(catalog, input.service, input.action, sent);
  if (result.kind === 'unknown_route') return { ok: false, notFound: true };
  if (result.kind === 'wrong') {
    const fields: FieldErrors = { model: [result.sentence] };
    if (result.spec) readFields(result.spec, result.action, false, body, isPublicUrl, fields);
    return { ok: false, fields };
  }
  const { meaning } = result;
  const fields: FieldErrors = {};
  checkRules(meaning.spec.actions[meaning.action]?.rules ?? [], body, fields);
  const values = readFields(
    meaning.spec,
    meaning.action,
    meaning.needsSources,
    body,
    isPublicUrl,
    fields,
  );
  if (Object.keys(fields).length > 0) return { ok: false, fields };
  return { ok: true, request: toRequest(catalog, meaning, values, body) };
}

/** Only own members: a field named like something every object has is none. */
function own(body: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(body, name) ? body[name] : undefined;
}

function readFields(
  spec: ServiceSpec,
  action: string,
  needsSources: boolean,
  body: JsonObject,
  isPublicUrl: IsPublicUrl,
  errors: FieldErrors,
): Map<string, JsonValue> {
  const values = new Map<string, JsonValue>();
  for (const [name, field] of Object.entries(spec.actions[action]?.fields ?? {})) {
    if (name === 'model') continue;
    const value = own(body, name);
    if (!isPresent(value)) {
      const isNeeded = needsSources && name === 'source_image_urls';
      const missing = isNeeded ? `${name} is required` : missingSentence(name, field, body);
      if (missing !== null) add(errors, name, missing);
      else if (field.default !== undefined) values.set(name, field.default);
      continue;
    }
    const read = readField(name, field, value, isPublicUrl);
    if ('value' in read) values.set(name, read.value);
    else for (const sentence of read.sentences) add(errors, name, sentence);
  }
  return values;
}

function missingSentence(name: string, field: FieldSpec, body: JsonObject): string | null {
  if (!field.required) return null;
  const other = field.required_unless;
  if (other === undefined) return `${name} is required`;
  return isPresent(own(body, other)) ? null : `one of ${name}, ${other} is required`;
}

function add(errors: FieldErrors, name: string, sentence: string): void {
  errors[name] = [...(errors[name] ?? []), sentence];
}

/** Rules look at the fields as the caller sent them, before defaults; enum values leniently. */
function checkRules(rules: readonly RuleSpec[], body: JsonObject, errors: FieldErrors): void {
  for (const { when, forbid } of rules) {
    const holds = Object.entries(when).every(([name, condition]) => {
      const value = own(body, name);
      if (typeof condition === 'string') return isPresent(value) === (condition === 'present');
      return isPresent(value) && isSame(value, condition.is);
    });
    if (!holds || !isPresent(own(body, forbid))) continue;
    const words = Object.keys(when)
      .sort()
      .map((name) => {
        const condition = when[name];
        return `${name} is ${typeof condition === 'object' ? condition.is : condition}`;
      });
    add(errors, forbid, `${forbid} is not allowed when ${words.join(' and ')}`);
  }
}

function isSame(value: JsonValue, wanted: string | number): boolean {
  if (typeof value !== 'string') return value === wanted;
  const read = readField(
    '',
    { type: 'string', required: false, enum: [wanted], description: '' },
    value,
    () => false,
  );
  return 'value' in read;
}

function toRequest(
  catalog: Catalog,
  meaning: Meaning,
  values: ReadonlyMap<string, JsonValue>,
  body: JsonObject,
): CreateRequest {
  const text = (name: string): string | null => {
    const value = values.get(name);
    return typeof value === 'string' ? value : null;
  };
  const urls = values.get('source_image_urls');
  const count = values.get('output_count');
  const params = [...values].filter(([name]) => !KEPT_APART.has(name));
  return {
    service: meaning.service,
    action: meaning.action,
    model: meaning.model,
    modelAsSent: meaning.modelAsSent,
    prompt: text('prompt') ?? '',
    sourceUrls: Array.isArray(urls) ? urls.map(String) : [],
    maskUrl: text('mask_url'),
    callbackUrl: text('callback_url'),
    params: Object.fromEntries(params),
    outputCount: typeof count === 'number' ? count : 1,
    outputResolution: text('output_resolution'),
    aspectRatio: text('aspect_ratio') ?? 'auto',
    quality: text('quality'),
    warnings: ignoredFields(catalog, meaning, body),
  };
}

/** A field that other actions know is worth a word; anything else is ignored in silence (contract §3.1). */
function ignoredFields(catalog: Catalog, meaning: Meaning, body: JsonObject): CatalogWarning[] {
  const taken = meaning.spec.actions[meaning.action]?.fields ?? {};
  const known = new Set(
    Object.values(catalog.services).flatMap((service) =>
      Object.values(service.actions).flatMap(({ fields }) => Object.keys(fields)),
    ),
  );
  const ignored = [...known].filter(
    (name) => !Object.hasOwn(taken, name) && isPresent(own(body, name)),
  );
  return ignored.map((name) => ({
    code: 'ignored_field',
    message: `${name} is not a field of ${meaning.model} here and was ignored.`,
  }));
}
