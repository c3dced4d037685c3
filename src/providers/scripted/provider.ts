// A provider for tests and benchmarks, registered only by a configuration file: a thin client of the scripted
// upstream, in two forms. Its failures are classified by code, as a real one's must be.
import { Agent, type Dispatcher, request } from 'undici';
import { toError } from '../../kernel/app-error.ts';
import type { JsonValue } from '../../kernel/json.ts';
import type {
  FailureClass,
  Provider,
  ProviderIo,
  ProviderJob,
  ProviderOutcome,
} from '../provider.ts';
import type { CreateMessage, Message, PollAnswer } from './wire.ts';

export interface ScriptedOptions {
  id: string;
  form: 'immediate' | 'job';
  baseUrl: string;
  isRepeatable: boolean;
}

const POLL_AFTER_MS = 50;
const CONNECTIONS = 20_000;
const SENDS_MAX = 3;
/** Nothing was sent: the upstream cannot have taken it. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

export function createScriptedProvider(options: ScriptedOptions): Provider {
  const { id, form, isRepeatable } = options;
  const dispatcher = new Agent({ connections: CONNECTIONS, headersTimeout: 0, bodyTimeout: 0 });
  // How much of each job was told to the runner; a new process starts at none and is told again.
  const told = new Map<string, number>();

  const call = (method: 'GET' | 'POST', path: string, signal: AbortSignal | null, body?: object) =>
    request(`${options.baseUrl}${path}`, {
      method,
      dispatcher,
      ...(signal ? { signal } : {}),
      ...(body ? { body: JSON.stringify(body) } : {}),
    });

  const submitOnce = async (job: ProviderJob, io: ProviderIo): Promise<ProviderOutcome> => {
    const message = toMessage(job, isRepeatable);
    try {
      if (form === 'immediate') {
        return await readStream(await call('POST', '/create', io.signal, message), io);
      }
      const answer = await call('POST', '/jobs', io.signal, message);
      const { job: handle } = (await readJson(answer)) as { job: string };
      return { kind: 'submitted', handle, pollAfterMs: POLL_AFTER_MS };
    } catch (error) {
      return lostCall(error);
    }
  };

  /** A repeatable create whose answer was lost is asked for again under the same key. */
  const submit = async (job: ProviderJob, io: ProviderIo): Promise<ProviderOutcome> => {
    for (let sent = 1; ; sent += 1) {
      const outcome = await submitOnce(job, io);
      const isLost = outcome.kind === 'failed' && outcome.failure.class === 'uncertain';
      if (!isLost || !isRepeatable || sent === SENDS_MAX || io.signal.aborted) return outcome;
      await io.sleep(POLL_AFTER_MS, io.signal);
    }
  };

  const poll = async (
    handle: JsonValue,
    _job: ProviderJob,
    io: ProviderIo,
  ): Promise<ProviderOutcome> => {
    const name = String(handle);
    const after = told.get(name) ?? 0;
    const answer = await ask(() => call('GET', `/jobs/${name}?after=${after}`, io.signal));
    if (answer === 'unanswered') return { kind: 'pending', pollAfterMs: POLL_AFTER_MS };
    const outcome =
      answer === 'unknown'
        ? failed('uncertain', 'the upstream does not know the job any more')
        : await tell(answer.messages, io);
    if (answer !== 'unknown') told.set(name, after + answer.messages.length);
    if (outcome) told.delete(name);
    return outcome ?? { kind: 'pending', pollAfterMs: POLL_AFTER_MS };
  };

  return {
    id,
    isRepeatable,
    isBuiltIn: false,
    submit,
    ...(form === 'job' ? { poll } : {}),
    async cancel(handle) {
      const answer = await call('POST', `/jobs/${String(handle)}/cancel`, null, {});
      await answer.body.dump();
      return { billed: false };
    },
    stop: () => dispatcher.destroy(),
  };
}

function toMessage(job: ProviderJob, isRepeatable: boolean): CreateMessage {
  const { taskId, attempt, prompt, format, missing } = job;
  const { width, height } = job.size ?? { width: 1024, height: 1024 };
  const idempotencyKey = isRepeatable ? `${taskId}.${attempt}` : null;
  return { taskId, attempt, prompt, width, height, format, missing, idempotencyKey };
}

/** Asking again costs nothing: only the deadline ends a poll that is not answered. */
async function ask(
  call: () => Promise<Dispatcher.ResponseData>,
): Promise<PollAnswer | 'unanswered' | 'unknown'> {
  try {
    const answer = await call();
    const body = await readJson(answer);
    return answer.statusCode === 404 ? 'unknown' : (body as PollAnswer);
  } catch {
    return 'unanswered';
  }
}

async function readStream(
  answer: Dispatcher.ResponseData,
  io: ProviderIo,
): Promise<ProviderOutcome> {
  let rest = '';
  let outcome: ProviderOutcome | null = null;
  // To its end, also after the last word: a body that is left unread costs its connection.
  for await (const chunk of answer.body) {
    const lines = `${rest}${(chunk as Buffer).toString('latin1')}`.split('\n');
    rest = lines.pop() ?? '';
    outcome ??= await tell(lines.map(parse<Message>), io);
  }
  if (rest !== '') parse(rest);
  return outcome ?? failed('uncertain', 'the answer ended before the last word');
}

/** Passes messages on; the outcome when one of them is the last word. */
async function tell(messages: readonly Message[], io: ProviderIo): Promise<ProviderOutcome | null> {
  for (const message of messages) {
    switch (message.kind) {
      case 'progress':
        io.onProgress(message.fraction);
        break;
      case 'partial':
        io.onPartial(message.index, { bytes: decode(message.b64), contentType: 'image/png' });
        break;
      case 'image':
        await io.deliver(message.index, { bytes: decode(message.b64) });
        break;
      case 'done':
        return { kind: 'done', upstreamCost: 0 };
      case 'failed': {
        const { class: failureClass, message: words, retryAfterMs } = message;
        const retry = retryAfterMs === null ? {} : { retryAfterMs };
        return { kind: 'failed', failure: { class: failureClass, message: words, ...retry } };
      }
    }
  }
  return null;
}

function decode(b64: string): Buffer {
  return Buffer.from(b64, 'base64');
}

class UnreadableAnswer extends Error {}

async function readJson(answer: Dispatcher.ResponseData): Promise<unknown> {
  return parse(await answer.body.text());
}

function parse<T = unknown>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new UnreadableAnswer('the answer is no JSON', { cause: error });
  }
}

/** A refused connection took nothing; a connection lost later may have. */
function lostCall(thrown: unknown): ProviderOutcome {
  const error = toError(thrown);
  if (error instanceof UnreadableAnswer) return failed('bad_response', error.message);
  const code = (error as NodeJS.ErrnoException).code ?? '';
  return failed(NEVER_SENT.has(code) ? 'try_later' : 'uncertain', error.message);
}

function failed(failureClass: FailureClass, detail: string): ProviderOutcome {
  return { kind: 'failed', failure: { class: failureClass, message: '', detail } };
}
