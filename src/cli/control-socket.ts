// How a command reaches the running gateway of a data folder: HTTP over a unix socket that only its owner
// may open. Operators see any account's tasks here.
import { chmod, rm } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { DomainContext } from '../domain/context.ts';
import { describeTask } from '../domain/tasks/index.ts';
import { isAppError, toError } from '../kernel/app-error.ts';
import { parseTaskId } from '../kernel/ids.ts';
import { type AdminRequest, administer } from './administer.ts';

export interface ControlAnswer {
  status: number;
  body: unknown;
}

export async function startControlSocket(
  path: string,
  ctx: DomainContext,
): Promise<{ stop(): Promise<void> }> {
  // The folder's lock says that no other gateway lives here: what lies there is left from a crash.
  await rm(path, { force: true });
  const server = createServer((incoming, outgoing) => {
    void answer(ctx, incoming.method ?? '', incoming.url ?? '').then(({ status, body }) => {
      outgoing.writeHead(status, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify(body));
    });
  });
  await listen(server, path);
  await chmod(path, 0o600);
  return {
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers one control request; also used by a command that opened the store itself. */
export async function answer(
  ctx: DomainContext,
  method: string,
  path: string,
): Promise<ControlAnswer> {
  const [handler, text] = findHandler(method, path);
  try {
    if (handler) return { status: 200, body: await handler(ctx, decodeURIComponent(text)) };
    return { status: 404, body: { error: 'unknown control request' } };
  } catch (error) {
    const status = isAppError(error) && error.code === 'not_found' ? 404 : 500;
    return { status, body: { error: toError(error).message } };
  }
}

type ControlHandler = (ctx: DomainContext, text: string) => Promise<unknown>;

const HANDLERS: readonly { method: string; path: RegExp; handle: ControlHandler }[] = [
  {
    method: 'GET',
    path: /^\/tasks\/([^/]+)$/,
    handle: (ctx, text) => describeTask(ctx, parseTaskId(text) ?? ''),
  },
  {
    method: 'POST',
    path: /^\/admin\/(.+)$/,
    handle: (ctx, text) => administer(ctx, JSON.parse(text) as AdminRequest),
  },
  { method: 'GET', path: /^\/nodes()$/, handle: (ctx) => ctx.store.run('nodes.list', {}) },
  {
    method: 'POST',
    path: /^\/nodes\/([^/]+)\/drain$/,
    handle: (ctx, nodeId) => ctx.store.run('nodes.drain', { nodeId }),
  },
];

function findHandler(method: string, path: string): [ControlHandler | null, string] {
  for (const one of HANDLERS) {
    const text = one.method === method ? one.path.exec(path)?.[1] : undefined;
    if (text !== undefined) return [one.handle, text];
  }
  return [null, ''];
}

/** Asks the gateway behind `socketPath`; null when nobody listens there. */
export function askControlSocket(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
): Promise<ControlAnswer | null> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, method }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
        resolve({ status: incoming.statusCode ?? 500, body });
      });
    });
    call.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(null);
      else reject(error);
    });
    call.end();
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
}
