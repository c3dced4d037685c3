// The process around the tasks: keys, errors, pages, command line, restart, deadline.
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../support/client.ts';
import {
  engineSettings,
  isOnPostgres,
  startGateway,
  type TestGateway,
} from '../support/gateway.ts';
import { type ScriptedSetup, startScripted } from '../support/scripted.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const run = promisify(execFile);

let scripted: ScriptedSetup;
let gateway: TestGateway;
let client: Client;

beforeAll(async () => {
  scripted = await startScripted('job', { tasks: { deadline_ms: 3_000 } });
  gateway = await startGateway({ config: scripted.config });
  client = createClient(gateway);
});

afterAll(async () => {
  await client.close();
  await gateway.stop();
  await scripted.server.stop();
});

const cli = async (args: string[], env: Record<string, string> = {}) =>
  run(process.execPath, [MAIN, ...args], {
    env: {
      PATH: process.env['PATH'],
      RUNAPI_GATEWAY_DATA_DIR: gateway.dataDir,
      ...(await engineSettings(gateway.dataDir)),
      ...env,
    },
  });

describe('a request', () => {
  it.each([
    ['authorization', `Bearer runapi_journey_key`],
    ['x-api-key', 'runapi_journey_key'],
    ['x-goog-api-key', 'runapi_journey_key'],
  ])('may carry its key in %s', async (name, value) => {
    const answer = await fetch(`${gateway.url}/v1/tasks`, { headers: { [name]: value } });
    expect(answer.status).toBe(200);
  });

  it('without a key, or with an unknown one, is told where keys come from', async () => {
    for (const headers of [{}, { authorization: 'Bearer sk-unknown' }]) {
      const answer = await fetch(`${gateway.url}/v1/tasks`, { headers });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(await answer.text()).toContain('RUNAPI_API_KEY');
    }
  });

  it('to an unknown route is told the nearest one and the base URL, before its key is looked at', async () => {
    const answer = await fetch(`${gateway.url}/v1/text_to_images`, { method: 'POST' });
    expect(answer.status).toBe(404);
    const text = await answer.text();
    expect(text).toContain('POST /v1/text_to_image.');
    expect(text).toContain(gateway.url);
  });

  it.each([
    ['GET', '/api/v1/me/friends'],
    ['POST', '/api/v1/files/prepare'],
  ])('%s %s, of a service that is not here, is no route for anybody', async (method, path) => {
    const answer = await fetch(gateway.url + path, { method });
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('gpt_image_2');
  });

  it('with the wrong method is told the right one', async () => {
    const answer = await fetch(`${gateway.url}/v1/text_to_image`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it.each([
    ['{"model":"x",\n "prompt":}', 400, 'line 2, column 11'],
    ['"text"', 400, 'JSON object'],
    [Buffer.from([0x7b, 0xff, 0x7d]), 400, 'UTF-8'],
    ['[]', 400, 'model is required'],
    ['', 400, 'model is required'],
  ])('with the body %s is told what is wrong', async (body, status, words) => {
    const answer = await fetch(`${gateway.url}/v1/text_to_image`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
      body,
    });
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(words);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(answer.headers.get('x-request-id')).toBeTruthy();
  });

  it('with a form body is told about Content-Type; with none it is read as JSON', async () => {
    const send = (headers: Record<string, string>) =>
      client.call('POST', '/v1/text_to_image', '{"model":"gpt-image-2"}', headers);
    const form = await send({ 'content-type': 'application/x-www-form-urlencoded' });
    expect(form.status).toBe(415);
    const json = await send({ 'content-type': 'application/vnd.api+json' });
    expect(json.body.errors).toEqual({ prompt: ['prompt is required'] });
  });

  it('larger than the limit is refused while it is still being sent, chunked or not', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 0x20);
    async function* endless() {
      for (let i = 0; i < 70; i += 1) yield chunk;
    }
    const answer = await fetch(`${gateway.url}/v1/text_to_image`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.key}`, 'content-type': 'application/json' },
      body: endless() as never,
      duplex: 'half',
    } as RequestInit).catch(() => null);
    if (answer) expect(answer.status).toBe(413);
    expect((await client.get('/v1/tasks')).status).toBe(200);
  });

  it('has its own request ids echoed, and stored with the task', async () => {
    const headers = { 'x-client-request-id': 'order 7', 'x-request-id': 'trace-1' };
    const body = { model: 'gpt-image-2', prompt: '[[script: bytes=16x16]]' };
    const answer = await client.post('/v1/text_to_image', body, headers);
    expect(answer.headers).toMatchObject(headers);
    const later = await client.get(`/v1/tasks/${answer.body.id}`);
    expect(later.headers['x-client-request-id']).toBe('order 7');
    const bad = await client.post('/v1/text_to_image', body, {
      'x-client-request-id': 'x'.repeat(513),
    });
    expect(bad.status).toBe(400);
  });
});

describe('a task', () => {
  it('that is not done by its deadline ends as expired, and the upstream is told', async () => {
    const { body } = await client.post('/v1/text_to_image', {
      model: 'gpt-image-2',
      prompt: '[[script: delay=60000]]',
    });
    const task = await client.until(body.id, 20_000);
    expect(task).toMatchObject({ status: 'failed', error_code: 'expired' });
    expect(task.usage).toBeUndefined();
    expect(scripted.server.cancels()).toContain(task.id);
  });

  it('and its picture outlive a restart', async () => {
    const { body } = await client.post('/v1/text_to_image', {
      model: 'gpt-image-2',
      prompt: '[[script: bytes=16x16]]',
    });
    const task = await client.until(body.id);
    const port = new URL(gateway.url).port;
    expect(await gateway.terminate()).toBe(0);
    gateway = await startGateway({
      config: scripted.config,
      dataDir: gateway.dataDir,
      env: { RUNAPI_GATEWAY_PORT: port },
    });
    expect((await client.get(`/v1/tasks/${body.id}`)).body).toEqual(task);
    expect((await fetch(task.images![0]!.url)).status).toBe(200);
  });
});

describe('the pages', () => {
  it('root, reference and document tell what is here', async () => {
    const html = await fetch(gateway.url, { headers: { accept: 'text/html' } });
    expect(html.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(await html.text()).toContain('gpt-image-2');
    const json = (await (await fetch(gateway.url)).json()) as { models: unknown[] };
    expect(json.models).toContainEqual({ model: 'gpt-image-2', provider: 'scripted' });
    const reference = await (await fetch(`${gateway.url}/reference`)).text();
    expect(reference).toContain('/v1/text_to_image');
    expect(reference).not.toMatch(/<script|style=|(?:src|href)="https?:/);
    const document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as {
      openapi: string;
    };
    expect(document.openapi).toBe('3.1.0');
    expect((await fetch(`${gateway.url}/health/ready`)).status).toBe(200);
  });
});

describe('the command line', () => {
  it.skipIf(isOnPostgres)('shows a task of the running gateway, and of a stopped one', async () => {
    const { body } = await client.post('/v1/text_to_image', {
      model: 'gpt-image-2',
      prompt: 'secret words [[script: bytes=16x16]]',
    });
    await client.until(body.id);
    const { stdout } = await cli(['tasks', 'show', body.task_id]);
    expect(stdout).toMatch(/completed/);
    expect(stdout).toMatch(/1 {2}scripted {2}succeeded/);
    expect(stdout).toMatch(/task\.processing/);
    const socket = await stat(join(gateway.dataDir, 'control.sock'));
    expect(socket.mode & 0o777).toBe(0o600);
    await gateway.terminate();
    const { stdout: offline } = await cli(['tasks', 'show', body.id, '--json']);
    expect(JSON.parse(offline)).toMatchObject({ task: { id: body.id, status: 'completed' } });
    gateway = await startGateway({ config: scripted.config, dataDir: gateway.dataDir });
    await client.close();
    client = createClient(gateway);
  });

  it('the doctor finds all well, and says what is not with exit code 2', async () => {
    const { stdout } = await cli(['doctor', '--json']);
    const { findings } = JSON.parse(stdout) as { findings: { check: string; verdict: string }[] };
    expect(findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['runtime', 'data folder', 'database', 'images']),
    );
    expect(findings.filter(({ verdict }) => verdict === 'fail')).toEqual([]);
    const sick = cli(['doctor'], { RUNAPI_GATEWAY_DATA_DIR: MAIN });
    await expect(sick).rejects.toMatchObject({ code: 2, stdout: expect.stringMatching(/^fail/m) });
  });

  it('a migration that is done has nothing to do', async () => {
    const { stdout } = await cli(['migrate', '--dry-run', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ dry_run: true, migrations: [] });
  });

  it('a drained node finishes what runs, takes nothing new, and is not ready', async () => {
    const patient = await startScripted('job');
    const node = await startGateway({ config: patient.config });
    const caller = createClient(node);
    const slow = { model: 'gpt-image-2', prompt: '[[script: delay=4000 bytes=16x16]]' };
    const running = await caller.post('/v1/text_to_image', slow);
    await expect
      .poll(async () => (await caller.get(`/v1/tasks/${running.body.id}`)).body.status)
      .toBe('processing');
    const settings = await engineSettings(node.dataDir);
    const env = { RUNAPI_GATEWAY_DATA_DIR: node.dataDir, ...settings };
    expect((await cli(['drain'], env)).stdout).toMatch(/is drained/);
    expect((await caller.get(`/v1/tasks/${running.body.id}`)).body.status).toBe('completed');
    expect((await fetch(`${node.url}/health/ready`)).status).toBe(503);
    const waiting = await caller.post('/v1/text_to_image', slow);
    expect(waiting.status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await caller.get(`/v1/tasks/${waiting.body.id}`)).body.status).toBe('pending');
    await caller.close();
    await node.stop();
    await patient.server.stop();
  });

  it.each([
    [['--version'], 0, /^\d+\.\d+\.\d+/],
    [['--help'], 0, /Example/],
    [['serve', '--help'], 0, /Example/],
    [['nonsense'], 2, /unknown command/],
    [['tasks', 'show', 'xyz'], 2, /no task id/],
    [['serve', '--config', '/none.yaml'], 2, /does not exist/],
  ])('%j exits with %d and says why', async (args, code, words) => {
    const result = await cli(args).then(
      ({ stdout }) => ({ code: 0, text: stdout }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        text: error.stdout + error.stderr,
      }),
    );
    expect(result.code).toBe(code);
    expect(result.text).toMatch(words);
  });

  it.skipIf(isOnPostgres)(
    'a second gateway on the same folder is refused with the folder and the way out',
    async () => {
      const second = cli(['serve'], { RUNAPI_GATEWAY_PORT: '0' });
      await expect(second).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringContaining('RUNAPI_GATEWAY_DATA_DIR'),
      });
    },
  );

  it('keeps a first key in a file when nobody watches, and out of the log', async () => {
    const fresh = await startGateway({ env: { RUNAPI_GATEWAY_BOOTSTRAP_KEY: '' } });
    const path = join(fresh.dataDir, 'first-key');
    const key = (await readFile(path, 'utf8')).trim();
    expect(key).toMatch(/^runapi_/);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(fresh.stderr()).not.toContain(key);
    const own = createClient({ url: fresh.url, key });
    expect((await own.get('/v1/tasks')).status).toBe(200);
    await own.close();
    await fresh.stop();
  });
});

describe('without the built-in engine and without a provider', () => {
  it('a create is refused with the missing settings, and the start says so', async () => {
    const bare = await startGateway({ config: { engine: { enabled: false } } });
    const own = createClient(bare);
    const answer = await own.post('/v1/text_to_image', { model: 'gpt-image-2', prompt: 'x' });
    expect(answer.status).toBe(503);
    expect(answer.body).toMatchObject({
      error: { code: 'no_provider', message: expect.stringMatching(/engine\.enabled.*routes/) },
    });
    expect((await own.get('/v1/tasks')).body.data).toEqual([]);
    await own.close();
    await bare.stop();
  });
});

describe('with a vendor key in the environment', () => {
  it('the demo sends the vendor nothing', { timeout: 120_000 }, async () => {
    let connections = 0;
    const vendor = createServer().on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve) => vendor.listen(0, '127.0.0.1', resolve));
    const { port } = vendor.address() as AddressInfo;
    const out = join(gateway.dataDir, 'demo.png');
    const { stdout } = await cli(['demo', 'a poster that says "HI"', '--json', '--out', out], {
      OPENAI_API_KEY: 'sk-test',
      OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`,
    });
    expect(JSON.parse(stdout)).toMatchObject({ path: out, width: 1728, height: 2304, cost: 0.1 });
    expect(connections).toBe(0);
    vendor.close();
  });
});
