// The OpenAPI 3.1 document, from the routes, the wire schemas and the catalogue's fields.
import { z } from 'zod';
import type { JsonObject, JsonValue } from '../kernel/json.ts';
import { ERRORS, type ErrorCode } from './errors.ts';
import { type RouteSpec, routeList } from './operations.ts';
import { SCHEMAS } from './schemas.ts';

/** A create as the catalogue knows it; the generic /api route is shown once per service and action. */
export interface CreateDescription {
  /** Null on /v1. */
  service: string | null;
  action: string;
  /** JSON Schema of the body. */
  schema: JsonObject;
  example: JsonObject;
}

export interface OpenApiInput {
  version: string;
  publicUrl: string;
  creates: readonly CreateDescription[];
}

export function buildOpenApi(input: OpenApiInput): JsonObject {
  const paths: Record<string, Record<string, JsonValue>> = {};
  for (const route of routeList) {
    for (const shown of expand(route, input.creates)) {
      const methods = paths[shown.path] ?? {};
      methods[route.method.toLowerCase()] = operation(route, shown);
      paths[shown.path] = methods;
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'RunAPI Gateway',
      version: input.version,
      description:
        'Image generation and editing as durable tasks: create, then poll, wait or listen until the task ends.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: input.publicUrl }],
    tags: ['Tasks', 'Images', 'Gateway'].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries(
        Object.entries(SCHEMAS).map(([name, schema]) => [name, toJsonSchema(schema, 'output')]),
      ),
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'A key of this gateway.' },
      },
    },
  };
}

interface ShownRoute {
  path: string;
  id: string;
  create: CreateDescription | null;
}

function expand(
  route: RouteSpec & { id: string },
  creates: readonly CreateDescription[],
): readonly ShownRoute[] {
  const { body } = route;
  if (!body) return [{ path: route.path, id: route.id, create: null }];
  return creates
    .filter(({ service, action }) =>
      body.flavour === 'v1' ? service === null && action === body.action : service !== null,
    )
    .map((create) => ({
      path: create.service === null ? route.path : `/api/v1/${create.service}/${create.action}`,
      id: create.service === null ? route.id : `create_${create.service}_${create.action}`,
      create,
    }));
}

function operation(route: RouteSpec, shown: ShownRoute): JsonObject {
  return {
    operationId: shown.id,
    tags: [route.tag],
    summary: route.summary,
    ...(route.needsKey ? { security: [{ key: [] }] } : {}),
    parameters: [...pathParameters(shown.path), ...queryParameters(route), ...headers(route)],
    ...(shown.create
      ? {
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: shown.create.schema, example: shown.create.example },
            },
          },
        }
      : {}),
    responses: { '200': success(route), ...failures(route.errors) },
  };
}

function pathParameters(path: string): JsonObject[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
}

function queryParameters(route: RouteSpec): JsonObject[] {
  if (!route.query) return [];
  const { properties = {} } = toJsonSchema(route.query, 'input') as {
    properties?: Record<string, JsonObject>;
  };
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }));
}

function headers(route: RouteSpec): JsonObject[] {
  const header = (name: string, description: string): JsonObject => ({
    name,
    in: 'header',
    description,
    schema: { type: 'string', maxLength: 512 },
  });
  if (route.body) {
    return [
      header('X-RunAPI-Max-Cost-Cents', 'A dearer request is refused with 402.'),
      header('Idempotency-Key', 'The same key with the same body is answered with the same task.'),
      header('X-Client-Request-Id', 'Stored with the task and echoed.'),
      header('Prefer', 'wait=1..60: answer when the task ends, at most after so many seconds.'),
    ];
  }
  if (route.answer === 'Task') return [header('Prefer', 'wait=1..60, as the query parameter.')];
  const isStream = typeof route.answer === 'object' && route.answer.contentType.includes('stream');
  return isStream ? [header('Last-Event-ID', 'Resume after this event.')] : [];
}

function success(route: RouteSpec): JsonObject {
  const { answer } = route;
  const refer = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });
  // With `Prefer: wait` a create may answer the ended task, with `dry_run` what it would be.
  const schema =
    answer === 'CreatedTask'
      ? { anyOf: [answer, 'Task', 'DryRun'].map(refer) }
      : refer(String(answer));
  const content: JsonObject =
    typeof answer === 'string' ? { 'application/json': { schema } } : { [answer.contentType]: {} };
  const id: JsonObject = { description: 'For reports.', schema: { type: 'string' } };
  return { description: 'OK', headers: { 'X-Request-ID': id }, content };
}

function failures(codes: readonly ErrorCode[]): JsonObject {
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const { status, title } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), `${code}: ${title}.`]);
  }
  const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
  return Object.fromEntries(
    [...byStatus].map(([status, lines]) => [
      String(status),
      { description: lines.join('\n'), content },
    ]),
  );
}

function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest as JsonObject;
}
