// The HTTP door: registers the routes of the contract and does what all of them share. The order is route,
// key, body: an unknown route is 404 before anything else, and no body is read for an unknown caller.
import type { AddressInfo, Socket } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { errorBody } from '../contract/errors.ts';
import { routeList } from '../contract/operations.ts';
import { authenticate, requireScope } from '../domain/accounts/index.ts';
import type { Actor, DomainContext } from '../domain/context.ts';
import { AppError } from '../kernel/app-error.ts';
import { makeUuid } from '../kernel/ids.ts';
import { balanceHandler, meHandler } from './account-routes.ts';
import { parseBody } from './body.ts';
import { type Door, type Handlers, type HttpOptions, header, param } from './door.ts';
import { answerError, unsupportedMediaType } from './error-answer.ts';
import { eventsHandler } from './event-stream.ts';
import {
  iconHandler,
  liveHandler,
  openApiHandler,
  readyHandler,
  referenceHandler,
  referenceStyleHandler,
  rootHandler,
} from './gateway-routes.ts';
import { readRequestId, readToken } from './headers.ts';
import { unknownRoute } from './nearest-route.ts';
import { outputHandler, partialHandler } from './output-routes.ts';
import { priceQuoteHandler, priceSchedulesHandler } from './price-routes.ts';
import { cancelHandler, createHandler, listHandler, statusHandler } from './task-routes.ts';

const BODY_BYTES_MAX = 64 * 1024 * 1024;
const PARAM_LENGTH_MAX = 2048;
const REQUEST_TIMEOUT_MS = 300_000;

export interface HttpServer {
  listen(host: string, port: number): Promise<{ port: number }>;
  /** Ends event streams and long-polls with a hint to come back, and takes no new connections. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

const handlers: Handlers = {
  createTextToImage: createHandler({ flavour: 'v1', action: 'text_to_image' }),
  createEditImage: createHandler({ flavour: 'v1', action: 'edit_image' }),
  createByService: createHandler({ flavour: 'api', action: null }),
  getTask: statusHandler('v1'),
  getTextToImage: statusHandler('v1'),
  getEditImage: statusHandler('v1'),
  getTaskResult: statusHandler('result'),
  getByAction: statusHandler('api'),
  getByService: statusHandler('api'),
  listTasks: listHandler,
  cancelTask: cancelHandler,
  taskEvents: eventsHandler,
  getOutput: outputHandler,
  getPartial: partialHandler,
  healthLive: liveHandler,
  healthReady: readyHandler,
  root: rootHandler,
  openapi: openApiHandler,
  reference: referenceHandler,
  referenceStyle: referenceStyleHandler,
  icon: iconHandler,
  me: meHandler,
  balance: balanceHandler,
  priceSchedules: priceSchedulesHandler,
  priceQuote: priceQuoteHandler,
};

export function createHttpServer(options: HttpOptions): HttpServer {
  const { ctx, log } = options;
  const draining = new AbortController();
  const actors = new WeakMap<FastifyRequest, Actor>();
  const door: Door = {
    ...options,
    draining: draining.signal,
    actorOf(request) {
      const actor = actors.get(request);
      if (!actor) throw new Error('this route asks for no key');
      return actor;
    },
  };
  const app = Fastify({
    bodyLimit: options.bodyBytesMax ?? BODY_BYTES_MAX,
    trustProxy: options.trustProxy.length === 0 ? false : [...options.trustProxy],
    genReqId: (raw) => readRequestId(raw.headers) ?? makeUuid(ctx.clock.now()),
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Node would answer a missing Host by itself, without a body or an id; requireHost answers it here.
    http: { requireHostHeader: false },
    forceCloseConnections: true,
    return503OnClosing: false,
    routerOptions: { maxParamLength: PARAM_LENGTH_MAX, ignoreTrailingSlash: true },
    clientErrorHandler: (error, socket) =>
      answerMalformed(error, socket, makeUuid(ctx.clock.now())),
    frameworkErrors: (error, request, reply) => {
      answerError(log, error, request, reply as never);
    },
  });
  readBodies(app);
  shareHeaders(app, options);
  answerExpectations(app, () => makeUuid(ctx.clock.now()));
  app.addHook('onRequest', requireHost);
  app.setErrorHandler((error, request, reply) => answerError(log, error, request, reply));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? '';
    if (options.isHealthOnly) return answerError(log, noDoor(path), request, reply);
    const { error, allow } = unknownRoute(request.method, path, ctx.settings.publicUrl);
    if (allow !== null) reply.header('allow', allow);
    return answerError(log, error, request, reply);
  });
  for (const route of routeList) {
    if (options.isHealthOnly && !route.path.startsWith('/health/')) continue;
    const handler = handlers[route.id];
    app.route({
      method: route.method === 'GET' ? ['GET', 'HEAD'] : route.method,
      url: route.path.replace(/\{(\w+)\}/g, ':$1'),
      onRequest: async (request) => {
        requireKnownService(ctx, request);
        if (!route.needsKey) return;
        const actor = await authenticate(ctx, readToken(request));
        if (route.tag === 'Tasks') requireScope(actor, 'tasks');
        actors.set(request, actor);
        if (route.method === 'POST') requireJson(request);
      },
      handler: (request, reply) => handler(door, request, reply),
    });
  }
  return {
    async listen(host, port) {
      await app.listen({ host, port });
      return { port: (app.server.address() as AddressInfo).port };
    },
    async drain() {
      draining.abort();
      await new Promise((resolve) => setImmediate(resolve));
    },
    close: () => app.close(),
  };
}

function noDoor(path: string): AppError {
  const text = `This node only runs tasks (roles: runner), so it does not answer ${path.slice(0, 200)}. Ask a node with the role http.`;
  return new AppError('route_not_found', text);
}

/** `/api/v1/<service>/…` of a service that is not here is no route, whoever asks (contract §1.1). */
function requireKnownService({ catalog, settings }: DomainContext, request: FastifyRequest): void {
  const service = param(request, 'service').replaceAll('-', '_');
  if (service === '' || Object.hasOwn(catalog.services, service)) return;
  const path = request.url.split('?')[0] ?? '';
  throw new AppError(
    'route_not_found',
    `There is no route ${request.method} ${path.slice(0, 200)}: no service here is called ${service.slice(0, 100)}. Services: ${Object.keys(catalog.services).join(', ')}. The base URL is ${settings.publicUrl}.`,
  );
}

/** One parser for all bodies; the limit is enforced while reading, chunked or not (contract §1.3). */
function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
    parseBody(body),
  );
  app.addHook('preHandler', async (request) => {
    if (request.method === 'POST') request.body ??= {};
  });
}

/** JSON when Content-Type says so or is absent; an unreadable one is none (contract §1.7). */
function requireJson(request: FastifyRequest): void {
  const sent = header(request, 'content-type');
  const hasBody =
    header(request, 'transfer-encoding') !== null ||
    Number(header(request, 'content-length') ?? 0) > 0;
  if (sent === null || !hasBody || sent.toLowerCase().includes('json')) return;
  throw unsupportedMediaType(sent.slice(0, 100));
}

function shareHeaders(app: FastifyInstance, { ctx, log }: HttpOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onSend', async (_request, reply, payload) => {
    const type = String(reply.getHeader('content-type') ?? '');
    if (type.startsWith('text/html') || type.startsWith('text/css')) {
      reply.header('content-security-policy', "default-src 'self'; frame-ancestors 'none'");
      reply.header('x-content-type-options', 'nosniff');
    } else if (type.startsWith('application/json')) {
      reply.header('cache-control', reply.getHeader('cache-control') ?? 'no-store');
    }
    return payload;
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const about = {
      method: request.method,
      route,
      status: reply.statusCode,
      requestId: request.id,
    };
    log.debug({ ...about, ms: Math.round(reply.elapsedTime), at: ctx.clock.now() }, 'request');
  });
}

/** HTTP/1.1 asks for it (RFC 9112 §3.2), though nothing here is built from it. */
async function requireHost({ raw }: FastifyRequest): Promise<void> {
  if (raw.headers.host !== undefined || raw.httpVersion === '1.0') return;
  throw new AppError('invalid_request', 'The header Host is missing.');
}

/** An `Expect` other than `100-continue`, which Node would answer with an empty 417. */
function answerExpectations(app: FastifyInstance, makeId: () => string): void {
  app.server.on('checkExpectation', (request, response) => {
    const error = new AppError('expectation_failed', 'The only Expect known here is 100-continue.');
    const body = JSON.stringify(errorBody(error));
    response.writeHead(417, {
      'content-length': Buffer.byteLength(body),
      'content-type': 'application/json; charset=utf-8',
      'x-request-id': readRequestId(request.headers) ?? makeId(),
      connection: 'close',
    });
    response.end(body);
  });
}

/** What Node's parser refuses never becomes a request; it is answered on the bare socket. */
function answerMalformed(error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const code = isTooLarge ? 'headers_too_large' : 'invalid_request';
  const message = isTooLarge ? 'The headers are too large.' : 'This is no readable HTTP request.';
  const body = JSON.stringify(errorBody(new AppError(code, message)));
  const status = isTooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nX-Request-ID: ${requestId}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
