// The bodies of the creates as JSON Schema, for the OpenAPI document.
import type { JsonObject } from '../../kernel/json.ts';
import { listModels } from './list-models.ts';
import type { Catalog, FieldSpec } from './model.ts';

export interface CreateBody {
  service: string | null;
  action: string;
  schema: JsonObject;
  example: JsonObject;
}

const EXAMPLE_PROMPT =
  'A glass perfume bottle on marble, transparent background, the label reads "AURORA"';
const EXAMPLE_SOURCE = 'https://example.com/photo.png';

export function describeCreates(catalog: Catalog): readonly CreateBody[] {
  const byService = Object.entries(catalog.services).flatMap(([service, spec]) =>
    Object.entries(spec.actions).map(([action, { fields }]) => {
      const names = Object.keys(spec.models);
      return { service, action, ...describeBody(fields, names) };
    }),
  );
  return [
    ...['text_to_image', 'edit_image'].map((action) => describeV1(catalog, action)),
    ...byService,
  ];
}

/** On /v1 the model decides which fields there are: the schema shows all of them. */
function describeV1(catalog: Catalog, action: string): CreateBody {
  const services = Object.values(catalog.services).filter(
    (spec) => Object.hasOwn(spec.actions, action) || spec.edits_by_text_to_image,
  );
  const fields: Record<string, FieldSpec> = {};
  for (const spec of services) {
    const own = spec.actions[action] ?? spec.actions['text_to_image'];
    for (const [name, field] of Object.entries(own?.fields ?? {})) {
      fields[name] ??= { ...field, required: field.required && name === 'model' };
    }
  }
  const names = listModels(catalog)
    .filter((listed) => listed.action === action || listed.service === 'gpt_4o_image')
    .flatMap((listed) => listed.names);
  const sources = fields['source_image_urls'];
  if (action === 'edit_image' && sources) {
    fields['source_image_urls'] = { ...sources, required: true };
  }
  return { service: null, action, ...describeBody(fields, [...new Set(names)].sort()) };
}

function describeBody(fields: Readonly<Record<string, FieldSpec>>, models: readonly string[]) {
  const properties = Object.entries(fields).map(([name, field]): [string, JsonObject] => [
    name,
    name === 'model'
      ? { type: 'string', enum: models, description: field.description }
      : fieldSchema(field),
  ]);
  const required = Object.entries(fields)
    .filter(([, field]) => field.required && field.required_unless === undefined)
    .map(([name]) => name);
  const schema: JsonObject = {
    type: 'object',
    properties: Object.fromEntries(properties),
    required,
  };
  const example: JsonObject = {
    model: models[0] ?? '',
    prompt: EXAMPLE_PROMPT,
    ...exampleOf(fields, 'aspect_ratio'),
    ...exampleOf(fields, 'output_resolution'),
    ...exampleOf(fields, 'quality'),
    ...(fields['source_image_urls']?.required ? { source_image_urls: [EXAMPLE_SOURCE] } : {}),
  };
  return { schema, example };
}

function exampleOf(fields: Readonly<Record<string, FieldSpec>>, name: string): JsonObject {
  const field = fields[name];
  const value = field?.required ? field.enum?.[0] : field?.enum?.[1];
  return value === undefined ? {} : { [name]: value };
}

function fieldSchema(field: FieldSpec): JsonObject {
  const { description } = field;
  if (field.type === 'image_url_list') {
    return {
      type: 'array',
      items: { type: 'string' },
      description,
      ...(field.min_items === undefined ? {} : { minItems: field.min_items }),
      ...(field.max_items === undefined ? {} : { maxItems: field.max_items }),
    };
  }
  const type = field.type === 'integer' || field.type === 'boolean' ? field.type : 'string';
  return {
    type,
    description,
    ...(field.enum ? { enum: field.enum } : {}),
    ...(field.default === undefined ? {} : { default: field.default }),
    ...(field.min_length === undefined ? {} : { minLength: field.min_length }),
    ...(field.max_length === undefined ? {} : { maxLength: field.max_length }),
  };
}
