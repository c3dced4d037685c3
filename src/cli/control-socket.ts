// How a command reaches the running gateway of a data folder: HTTP over a unix socket that only its owner
// may open. Operators see any account's tasks here.
import { chmod, rm } from 'node:fs/promises';
import { createServer, request, type Server } from 'node:http';
import type { DomainContext } from '../domain/context.ts';
import { describeTask } from '../domain/tasks/index.ts';
import { isAppError, toError } from '../kernel/app-error.ts';
import { parseTaskId } from '../kernel/ids.ts';

export interface ControlAnswer {
  status: number;
  body: unknown;
}

const TASK_PATH = /^\/tasks\/([^/]+)$/;

export async function startControlSocket(
  path: string,
  ctx: DomainContext,
): Promise<{ stop(): Promise<void> }> {
  // The folder's lock says that no other gateway lives here: what lies there is left from a crash.
  await rm(path, { force: true });
  const server = createServer((incoming, outgoing) => {
    void answer(ctx, incoming.url ?? '').then(({ status, body }) => {
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
export async function answer(ctx: DomainContext, path: string): Promise<ControlAnswer> {
  const text = TASK_PATH.exec(path)?.[1];
  const taskId = text === undefined ? null : parseTaskId(decodeURIComponent(text));
  if (taskId === null) return { status: 404, body: { error: 'unknown control request' } };
  try {
    return { status: 200, body: await describeTask(ctx, taskId) };
  } catch (error) {
    const status = isAppError(error) && error.code === 'not_found' ? 404 : 500;
    return { status, body: { error: toError(error).message } };
  }
}

/** Asks the gateway behind `socketPath`; null when nobody listens there. */
export function askControlSocket(socketPath: string, path: string): Promise<ControlAnswer | null> {
  return new Promise((resolve, reject) => {
    const call = request({ socketPath, path, method: 'GET' }, (incoming) => {
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
