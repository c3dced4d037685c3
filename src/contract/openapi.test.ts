import { describe, expect, it } from 'vitest';
import { AppError } from '../kernel/app-error.ts';
import type { JsonObject } from '../kernel/json.ts';
import { isJsonObject } from '../kernel/json.ts';
import { errorBody } from './errors.ts';
import { buildOpenApi } from './openapi.ts';
import { routeList } from './operations.ts';

const schema = { type: 'object', properties: {} };
const document = buildOpenApi({
  version: '1.2.3',
  publicUrl: 'https://img.example.com',
  creates: [
    { service: null, action: 'text_to_image', schema, example: {} },
    { service: null, action: 'edit_image', schema, example: {} },
    { service: 'gpt_image_2', action: 'text_to_image', schema, example: {} },
  ],
});

function* walk(value: unknown): Generator<JsonObject> {
  if (Array.isArray(value)) for (const item of value) yield* walk(item);
  if (!isJsonObject(value)) return;
  yield value;
  for (const member of Object.values(value)) yield* walk(member);
}

describe('the OpenAPI document', () => {
  it('shows every route, the generic create once per service and action', () => {
    const paths = Object.keys(document['paths'] as JsonObject);
    for (const route of routeList) {
      const shown =
        route.id === 'createByService' ? '/api/v1/gpt_image_2/text_to_image' : route.path;
      expect(paths).toContain(shown);
    }
  });

  it('has no reference into nowhere and no operation id twice', () => {
    const schemas = (document['components'] as { schemas: JsonObject }).schemas;
    const ids: unknown[] = [];
    for (const object of walk(document)) {
      const reference = object['$ref'];
      if (typeof reference === 'string') {
        expect(Object.keys(schemas)).toContain(reference.replace('#/components/schemas/', ''));
      }
      if (typeof object['operationId'] === 'string') ids.push(object['operationId']);
    }
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('declares every path parameter', () => {
    for (const [path, methods] of Object.entries(document['paths'] as Record<string, JsonObject>)) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      for (const operation of Object.values(methods) as { parameters: JsonObject[] }[]) {
        const declared = operation.parameters.filter((parameter) => parameter['in'] === 'path');
        expect(declared.map(({ name }) => name)).toEqual(named);
      }
    }
  });
});

it('an error body serves every client: object and string code, errors as an object', () => {
  const fields = { prompt: ['prompt is required'] };
  const error = new AppError('invalid_request', 'prompt is required', { fields });
  expect(errorBody(error)).toEqual({
    error: {
      code: 'invalid_request',
      message: 'prompt is required',
      type: 'invalid_request_error',
      param: 'prompt',
    },
    code: 'invalid_request',
    errors: fields,
  });
});
