// The upstream of the scripted provider: a loopback HTTP server of the tests and benchmarks, which counts
// every create and outlives the gateway that calls it.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { solidPng } from './png.ts';
import { type Due, type MakeImage, planMessages } from './schedule.ts';
import { type Outcome, readScript } from './script.ts';
import type { CreateMessage, PollAnswer } from './wire.ts';

export interface CreateRecord {
  taskId: string;
  attempt: number;
  form: 'immediate' | 'job';
  /** Sent again under its idempotency key: billed once with the first. */
  isRepeat: boolean;
}

export interface ScriptedServer {
  url: string;
  /** Every create that was taken, in order; what was dropped before is not in it. */
  creates(): readonly CreateRecord[];
  /** Task ids of the jobs that were cancelled. */
  cancels(): readonly string[];
  /** When the last word about a task was sent, as `performance.now()`; null: not yet. */
  answeredAt(taskId: string): number | null;
  stop(): Promise<void>;
}

export interface ScriptedServerOptions {
  /** Other formats than PNG need a maker. */
  makeImage?: MakeImage;
}

interface Job {
  create: CreateMessage;
  outcome: Outcome;
  startedAt: number;
  due: readonly Due[];
  /** Where a connection that breaks midway breaks. */
  half: number;
}

interface State {
  creates: CreateRecord[];
  cancels: string[];
  answeredAt: Map<string, number>;
  jobs: Map<string, Job>;
  byIdempotencyKey: Map<string, Job>;
  makeImage: MakeImage;
  stopping: AbortController;
}

const BREAKS: ReadonlySet<Outcome> = new Set(['reset', 'reset_midway']);
/** Longer than any test: a connection that the server closes while idle would look like a lost answer. */
const KEEP_ALIVE_MS = 600_000;

export async function createScriptedServer(
  options: ScriptedServerOptions = {},
): Promise<ScriptedServer> {
  const state: State = {
    creates: [],
    cancels: [],
    answeredAt: new Map(),
    jobs: new Map(),
    byIdempotencyKey: new Map(),
    makeImage: options.makeImage ?? (async (_format, width, height) => solidPng(width, height)),
    stopping: new AbortController(),
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    answer(state, request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 4096, resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    creates: () => state.creates,
    cancels: () => state.cancels,
    answeredAt: (taskId) => state.answeredAt.get(taskId) ?? null,
    stop() {
      state.stopping.abort();
      return close(server);
    },
  };
}

async function answer(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://scripted');
  const [, kind = '', handle = '', verb = ''] = url.pathname.split('/');
  if (request.method === 'GET') {
    return poll(state, response, handle, Number(url.searchParams.get('after') ?? 0));
  }
  if (verb === 'cancel') {
    const job = state.jobs.get(handle);
    if (job) state.cancels.push(job.create.taskId);
    state.jobs.delete(handle);
    return reply(response, {});
  }
  const create = JSON.parse(await readText(request)) as CreateMessage;
  await takeCreate(state, request, response, create, kind === 'jobs' ? 'job' : 'immediate');
}

async function takeCreate(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
  create: CreateMessage,
  form: 'immediate' | 'job',
): Promise<void> {
  const { taskId, attempt, idempotencyKey } = create;
  const earlier = idempotencyKey === null ? undefined : state.byIdempotencyKey.get(idempotencyKey);
  // A connection breaks once: who asks again under the key finds what was made.
  const job: Job = earlier
    ? { ...earlier, outcome: BREAKS.has(earlier.outcome) ? 'ok' : earlier.outcome }
    : await startJob(create, state.makeImage);
  if (job.outcome === 'reset_early') return void request.socket.destroy();
  state.creates.push({ taskId, attempt, form, isRepeat: earlier !== undefined });
  if (idempotencyKey !== null && !earlier) state.byIdempotencyKey.set(idempotencyKey, job);
  if (job.outcome === 'reset') return void request.socket.destroy();
  if (job.outcome === 'hang') return;
  if (job.outcome === 'web_page') {
    return void response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Gateway</h1>');
  }
  if (form === 'immediate') return stream(state, job, response);
  const handle = `${taskId}.${attempt}`;
  if (job.outcome !== 'forgotten') state.jobs.set(handle, job);
  reply(response, { job: handle });
}

async function startJob(create: CreateMessage, makeImage: MakeImage): Promise<Job> {
  const script = readScript(create.prompt);
  const { min, max } = script.delayMs;
  const outcome = script.outcomes[create.attempt - 1] ?? script.outcomes.at(-1) ?? 'ok';
  const delayMs = min + Math.random() * (max - min);
  const due = await planMessages(create, script, outcome, delayMs, makeImage);
  const images = due.flatMap(({ message }, index) => (message.kind === 'image' ? [index] : []));
  const half = images[Math.floor(images.length / 2)] ?? 0;
  return { create, outcome, startedAt: performance.now(), due, half };
}

/** The immediate form: each message as it falls due, in one answer. */
async function stream(state: State, job: Job, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  for (const [index, { atMs, message }] of job.due.entries()) {
    const waitMs = job.startedAt + atMs - performance.now();
    if (waitMs > 0) await delay(waitMs, undefined, { signal: state.stopping.signal });
    if (job.outcome === 'lost' || response.destroyed) return;
    if (job.outcome === 'reset_midway' && index >= job.half) return void response.destroy();
    const isLast = index === job.due.length - 1;
    if (isLast) state.answeredAt.set(job.create.taskId, performance.now());
    response.write(`${JSON.stringify(message)}\n`);
  }
  response.end();
}

function poll(state: State, response: ServerResponse, handle: string, after: number): void {
  const job = state.jobs.get(handle);
  if (!job) {
    reply(response, { error: 'there is no such job' }, 404);
    return;
  }
  const now = performance.now() - job.startedAt;
  const isDue = ({ atMs }: Due) => job.outcome !== 'lost' && atMs <= now;
  const messages = job.due.filter(isDue).map(({ message }) => message);
  if (messages.length === job.due.length) {
    state.answeredAt.set(job.create.taskId, performance.now());
  }
  const answered: PollAnswer = { messages: messages.slice(after) };
  reply(response, answered);
}

function reply(response: ServerResponse, body: object, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
