// No input may give a 5xx or stop the process. FUZZ_SEED repeats a run, FUZZ_REQUESTS says how many.
import fc from 'fast-check';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient, type TaskBody } from '../support/client.ts';
import { concurrently } from '../support/concurrently.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { readSeed } from '../support/random.ts';
import { parseAnswers, type RawAnswer, sendRaw } from '../support/raw-http.ts';
import { type ScriptedSetup, startScripted } from '../support/scripted.ts';
import { type FuzzRequest, fuzzRequests } from './fuzz-requests.ts';

const REQUESTS = Number(process.env['FUZZ_REQUESTS'] ?? 25_000);
const RAW_REQUESTS = 1_500;
const LANES = 32;
const FAILURES_SHOWN = 5;
const seed = readSeed('FUZZ_SEED');

let scripted: ScriptedSetup;
let gateway: TestGateway;
let client: Client;
const dispatcher = new Agent({ connections: LANES });

beforeAll(async () => {
  console.log(`FUZZ_SEED=${seed}`);
  scripted = await startScripted('immediate');
  gateway = await startGateway({ config: scripted.config });
  client = createClient(gateway);
});

afterAll(async () => {
  await dispatcher.destroy();
  await client.close();
  await gateway.stop();
  await scripted.server.stop();
});

async function makeTask(): Promise<TaskBody> {
  const body = { model: 'gpt-image-2', prompt: 'a good request' };
  const created = await client.post('/v1/text_to_image', body);
  expect(created.status).toBe(200);
  return client.until(created.body.id);
}

/** Ids and files that exist, so that not everything ends at `not_found`. */
async function listIds(): Promise<string[]> {
  const task = await makeTask();
  const file = new URL(task.images![0]!.url).pathname.split('/').at(-1) ?? '';
  return [task.id, task.task_id, task.id.toUpperCase(), file];
}

async function listRoutes(): Promise<string[]> {
  const answer = await request(`${gateway.url}/openapi.json`);
  const { paths } = (await answer.body.json()) as { paths: object };
  return Object.keys(paths);
}

/** What is wrong with an answer; null: nothing. */
function judge(
  status: number,
  requestId: string | undefined,
  text: string,
  hasBody: boolean,
): string | null {
  if (status >= 500) return 'a 5xx';
  if (!requestId) return 'no X-Request-ID';
  if (status < 400 || !hasBody) return null;
  if (/\bat .+:\d+:\d+|node_modules|SQLITE/.test(text)) return 'an inside shows';
  try {
    const { error } = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } };
    const isWhole = typeof error?.code === 'string' && typeof error.message === 'string';
    return isWhole ? null : 'no error code and message';
  } catch {
    return 'no JSON';
  }
}

async function send(one: FuzzRequest): Promise<string | null> {
  const mayHaveBody = !['GET', 'HEAD', 'TRACE'].includes(one.method);
  const answer = await request(`${gateway.url}${one.path}`, {
    method: one.method as 'POST',
    dispatcher,
    headers: one.headers,
    ...(mayHaveBody ? { body: one.body } : {}),
    headersTimeout: 20_000,
  });
  const text = await answer.body.text();
  const id = answer.headers['x-request-id'];
  const wrong = judge(answer.statusCode, String(id ?? ''), text, one.method !== 'HEAD');
  if (wrong === null) return null;
  return `${wrong}: ${answer.statusCode} ${JSON.stringify(one)} ${text.slice(0, 300)}`;
}

describe('generated requests', () => {
  it(`${REQUESTS} of them (seed ${seed}) never give a 5xx, always an error body and an id`, async () => {
    const arbitrary = fuzzRequests(await listRoutes(), await listIds());
    const requests = fc.sample(arbitrary, { numRuns: REQUESTS, seed });
    const failures: string[] = [];
    await concurrently(requests, LANES, async (one) => {
      if (failures.length >= FAILURES_SHOWN) return;
      const failure = await send(one).catch(
        (error: Error) => `no answer: ${error.message} ${JSON.stringify(one)}`,
      );
      if (failure !== null) failures.push(failure);
    });
    expect(failures).toEqual([]);
  });
});

const AUTHORISED = 'Host: x\r\nAuthorization: Bearer runapi_journey_key\r\n';
const JSON_POST = `POST /v1/text_to_image HTTP/1.1\r\n${AUTHORISED}Content-Type: application/json\r\n`;
const GOOD_BODY = '{"model":"gpt-image-2","prompt":"x"}';
const GOOD = `${JSON_POST}Content-Length: ${GOOD_BODY.length}\r\nConnection: close\r\n\r\n${GOOD_BODY}`;

function judgeRaw(answer: RawAnswer): string | null {
  const { status, headers, body } = answer;
  return judge(status, headers.get('x-request-id'), body, true);
}

describe('bytes that are no HTTP', () => {
  it.each([
    ['no method', 'GARBAGE\r\n\r\n', 400],
    ['an unknown version', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n', 400],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
    ['a space in the path', 'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['raw bytes in the path', 'GET /v1/tasks/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['a header without colon', 'GET / HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n', 400],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n', 400],
    ['NUL in a header', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n', 400],
    ['a negative length', `${JSON_POST}Content-Length: -1\r\n\r\n`, 400],
    ['two lengths', `${JSON_POST}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 400],
    [
      'length and chunks',
      `${JSON_POST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['a broken chunk', `${JSON_POST}Transfer-Encoding: chunked\r\n\r\nZZ\r\n`, 400],
    ['an unknown coding', `${JSON_POST}Transfer-Encoding: gzip\r\n\r\n{}`, 400],
    ['a path of 70 kB', `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ['a header of 70 kB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'b'.repeat(70_000)}\r\n\r\n`, 431],
    [
      'a URL that is none',
      'GET http://[::bad/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
      400,
    ],
    ['an asterisk', 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 404],
  ])('%s is answered with an error', async (_name, text, status) => {
    const answers = parseAnswers(await sendRaw(gateway.url, Buffer.from(text, 'latin1')));
    expect(answers.map((answer) => answer.status)).toEqual([status]);
    expect(answers.map(judgeRaw)).toEqual([null]);
  });

  it.each([
    ['no Host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['an unknown Expect', GOOD.replace('Connection', 'Expect: nonsense\r\nConnection')],
  ])('%s, which Node answers by itself, is answered in our shape too', async (_name, text) => {
    const answers = parseAnswers(await sendRaw(gateway.url, Buffer.from(text, 'latin1')));
    expect(answers.map(judgeRaw)).toEqual([null]);
  });

  it(`${RAW_REQUESTS} spoilt requests (seed ${seed}) are answered with an error, or dropped`, async () => {
    const change = fc.tuple(fc.nat(GOOD.length - 1), fc.uint8Array({ maxLength: 8 }));
    const spoilt = fc
      .tuple(fc.array(change, { minLength: 1, maxLength: 6 }), fc.boolean())
      .map(([changes, isCut]) => {
        let bytes: Buffer = Buffer.from(GOOD, 'latin1');
        for (const [at, put] of changes) {
          bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + put.length)]);
        }
        const [[cut = bytes.length] = []] = changes;
        return isCut ? bytes.subarray(0, cut) : bytes;
      });
    const noise = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    const all = fc.sample(fc.oneof(spoilt, noise), { numRuns: RAW_REQUESTS, seed });
    const failures: string[] = [];
    await concurrently(all, LANES, async (bytes) => {
      const text = await sendRaw(gateway.url, bytes, 400);
      try {
        for (const answer of parseAnswers(text)) {
          const wrong = judgeRaw(answer);
          if (wrong !== null) {
            failures.push(`${wrong}: ${JSON.stringify(bytes.toString('latin1'))} ${text}`);
          }
        }
      } catch (error) {
        failures.push(`${String(error)}: ${JSON.stringify(bytes.toString('latin1'))}`);
      }
    });
    expect(failures.slice(0, FAILURES_SHOWN)).toEqual([]);
  });

  it('connections that say nothing, or leave in the middle, do not wear it out', async () => {
    const half = Buffer.from(GOOD.slice(0, -10), 'latin1');
    const silent = Array.from({ length: 300 }, (_, index) => (index % 2 ? half : Buffer.alloc(0)));
    await concurrently(silent, 300, (bytes) => sendRaw(gateway.url, bytes, 100));
    expect((await makeTask()).status).toBe('completed');
  });
});

it('after all that the process is up, and has met no internal error', async () => {
  expect((await makeTask()).status).toBe('completed');
  expect(gateway.isRunning()).toBe(true);
  expect(gateway.stderr()).not.toMatch(/internal_error|"level":[56]0/);
});
