// Every route of the gateway. The HTTP door registers exactly these; the OpenAPI document shows them.
import type { z } from 'zod';
import type { ErrorCode } from './errors.ts';
import { LIVE_EVENTS, STATE_EVENTS } from './events.ts';
import { createQuery, listQuery, priceQuery, type SchemaName, waitQuery } from './schemas.ts';

export interface RouteSpec {
  method: 'GET' | 'POST';
  /** `{name}` are path parameters. */
  path: string;
  tag: 'Tasks' | 'Account' | 'Images' | 'Gateway';
  summary: string;
  needsKey: boolean;
  query?: z.ZodObject;
  /** Which create's body it takes; `any` on the generic route. */
  body?: { flavour: 'v1' | 'api'; action: string | null };
  answer: SchemaName | { contentType: string };
  errors: readonly ErrorCode[];
}

const KEY: readonly ErrorCode[] = ['missing_api_key', 'invalid_api_key', 'storage_unavailable'];
const TASK: readonly ErrorCode[] = [
  ...KEY,
  'permission_denied',
  'invalid_request',
  'invalid_resource_id',
  'not_found',
];
const CREATE: readonly ErrorCode[] = [
  ...KEY,
  'invalid_request',
  'invalid_json',
  'insufficient_credits',
  'max_cost_exceeded',
  'permission_denied',
  'rate_limited',
  'request_conflict',
  'body_too_large',
  'unsupported_media_type',
  'capacity',
  'no_provider',
  'shutting_down',
];

const status = (path: string, summary: string, answer: SchemaName = 'Task') =>
  ({
    method: 'GET',
    path,
    tag: 'Tasks',
    summary,
    needsKey: true,
    query: waitQuery,
    answer,
    errors: TASK,
  }) as const;

const page = (path: string, summary: string, contentType: string) =>
  ({
    method: 'GET',
    path,
    tag: 'Gateway',
    summary,
    needsKey: false,
    answer: { contentType },
    errors: [],
  }) as const;

const create = (path: string, summary: string, flavour: 'v1' | 'api', action: string | null) =>
  ({
    method: 'POST',
    path,
    tag: 'Tasks',
    summary,
    needsKey: true,
    query: createQuery,
    body: { flavour, action },
    answer: 'CreatedTask',
    errors: CREATE,
  }) as const;

export const ROUTES = {
  createTextToImage: create('/v1/text_to_image', 'Make an image from words', 'v1', 'text_to_image'),
  createEditImage: create(
    '/v1/edit_image',
    'Make an image from images and words',
    'v1',
    'edit_image',
  ),
  createByService: create(
    '/api/v1/{service}/{action}',
    'Make an image, named by service',
    'api',
    null,
  ),
  getTask: status('/v1/tasks/{id}', 'A task, by either spelling of its id'),
  getTextToImage: status('/v1/text_to_image/{id}', 'The same task'),
  getEditImage: status('/v1/edit_image/{id}', 'The same task'),
  getTaskResult: status(
    '/api/v1/tasks/{id}',
    'A task with the response it stands for',
    'TaskResult',
  ),
  getByAction: status('/api/v1/{service}/{action}/{id}', 'A task of this service and action'),
  getByService: status('/api/v1/{service}/{id}', 'A task of this service'),
  listTasks: {
    method: 'GET',
    path: '/v1/tasks',
    tag: 'Tasks',
    summary: 'Tasks of the account, newest first',
    needsKey: true,
    query: listQuery,
    answer: 'TaskList',
    errors: [...KEY, 'invalid_request'],
  },
  cancelTask: {
    method: 'POST',
    path: '/v1/tasks/{id}/cancel',
    tag: 'Tasks',
    summary: 'Cancel a task; a task that has ended is answered unchanged',
    needsKey: true,
    answer: 'Task',
    errors: [...TASK, 'rate_limited'],
  },
  taskEvents: {
    method: 'GET',
    path: '/v1/tasks/{id}/events',
    tag: 'Tasks',
    summary: `Server-sent events of a task; resumes after Last-Event-ID. With an id: ${STATE_EVENTS.join(', ')}. Without: ${LIVE_EVENTS.join(', ')}.`,
    needsKey: true,
    answer: { contentType: 'text/event-stream' },
    errors: [...TASK, 'shutting_down'],
  },
  me: {
    method: 'GET',
    path: '/api/v1/me',
    tag: 'Account',
    summary: 'Whose key this is',
    needsKey: true,
    answer: 'Me',
    errors: [...KEY, 'not_found'],
  },
  balance: {
    method: 'GET',
    path: '/api/v1/me/balance',
    tag: 'Account',
    summary: 'What the account can spend and has spent, in US cents',
    needsKey: true,
    answer: 'Balance',
    errors: KEY,
  },
  priceSchedules: {
    method: 'GET',
    path: '/api/v1/price_schedules',
    tag: 'Account',
    summary: 'The price list; with an ETag',
    needsKey: false,
    query: priceQuery,
    answer: 'PriceSchedules',
    errors: ['invalid_request'],
  },
  priceQuote: {
    method: 'POST',
    path: '/api/v1/price_quotes',
    tag: 'Account',
    summary: 'The price of a request that need not be complete: {service, action, model, params}',
    needsKey: false,
    answer: 'PriceQuote',
    errors: ['invalid_request', 'invalid_json', 'body_too_large'],
  },
  getOutput: {
    method: 'GET',
    path: '/outputs/{file}',
    tag: 'Images',
    summary: 'An image of a completed task; the URL is the right to read it',
    needsKey: false,
    answer: { contentType: 'image/png' },
    errors: ['not_found', 'output_expired', 'range_not_satisfiable'],
  },
  getPartial: {
    method: 'GET',
    path: '/outputs/partial/{file}',
    tag: 'Images',
    summary: 'A preview named by a task.partial_image event, for some minutes',
    needsKey: false,
    answer: { contentType: 'image/png' },
    errors: ['not_found'],
  },
  healthLive: { ...page('/health/live', 'The process answers', ''), answer: 'Health' },
  healthReady: {
    ...page('/health/ready', 'It takes work', ''),
    answer: 'Health',
    errors: ['shutting_down'],
  },
  root: page('/', 'Version, what serves each model, links', 'application/json'),
  openapi: page('/openapi.json', 'This document', 'application/json'),
  reference: page('/reference', 'This document as a page', 'text/html'),
  referenceStyle: page('/reference.css', 'Its style', 'text/css'),
  icon: page('/favicon.ico', 'The icon of its pages', 'image/svg+xml'),
} as const satisfies Record<string, RouteSpec>;

export type RouteId = keyof typeof ROUTES;

export const routeList: readonly (RouteSpec & { id: RouteId })[] = (
  Object.entries(ROUTES) as [RouteId, RouteSpec][]
).map(([id, route]) => ({ id, ...route }));
