// Any node accepts, any node runs, any node answers.
import { request } from 'undici';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createScriptedServer, type ScriptedServer } from '../../src/providers/scripted/server.ts';
import { type Client, createClient } from '../support/client.ts';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { makeDataDir, startGateway, type TestGateway } from '../support/gateway.ts';

const MODEL = 'gpt-image-2';

let server: ScriptedServer;
let fleet: Fleet;
let clients: Client[];
/** Takes requests and runs nothing; runs tasks and takes none; takes requests too. */
let [front, back, other]: TestGateway[] = [];

beforeAll(async () => {
  server = await createScriptedServer();
  const config = {
    providers: { scripted: { type: 'scripted', form: 'job', base_url: server.url } },
    routes: { '*': ['scripted'] },
  };
  fleet = await startFleet({ config, count: 0 });
  const node = (roles: string) =>
    startGateway({
      config,
      dataDir: fleet.dataDir,
      env: { DATABASE_URL: fleet.databaseUrl, RUNAPI_GATEWAY_ROLES: roles },
    });
  fleet.nodes.push(...(await Promise.all(['http', 'runner', 'http'].map(node))));
  [front, back, other] = fleet.nodes;
  clients = fleet.nodes.map(createClient);
});

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await fleet?.stop();
  await server?.stop();
});

const create = async (script: string) => {
  const prompt = `x [[script: ${script}]]`;
  const { status, body } = await clients[0]!.post('/v1/text_to_image', { model: MODEL, prompt });
  expect(status).toBe(200);
  return body;
};

it('a long-poll at one node ends when another has finished the task', async () => {
  const task = await create('delay=600');
  const startedAt = performance.now();
  const { body } = await clients[2]!.get(`/v1/tasks/${task.id}?wait=20`);
  expect(body.status).toBe('completed');
  // Not by the end of the wait, nor by a sweep.
  expect(performance.now() - startedAt).toBeLessThan(6_000);
  const image = body.images?.[0]?.url ?? '';
  expect((await request(image)).statusCode).toBe(200);
});

it('an event stream at one node tells the states, progress and previews of a task run by another', async () => {
  const task = await create('delay=3000 progress=4 partials=1');
  const { body } = await request(`${other!.url}/v1/tasks/${task.id}/events`, {
    headers: { authorization: `Bearer ${other!.key}` },
  });
  const text = await body.text();
  const events = [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name);
  expect(events.filter((name) => !/progress|partial/.test(name ?? ''))).toEqual([
    'task.pending',
    'task.processing',
    'task.completed',
  ]);
  expect(events).toContain('task.progress');
  expect(events).toContain('task.partial_image');
  const preview = /"url":"([^"]+partial[^"]+)"/.exec(text)?.[1] ?? '';
  expect((await request(preview)).statusCode).toBe(200);
});

it('a cancel at one node ends the call of another', async () => {
  const task = await create('delay=20000');
  await expect
    .poll(async () => (await clients[2]!.get(`/v1/tasks/${task.id}`)).body.status)
    .toBe('processing');
  await expect.poll(() => server.creates().some(({ taskId }) => taskId === task.id)).toBe(true);
  const { body } = await clients[2]!.post(`/v1/tasks/${task.id}/cancel`, {});
  expect(body).toMatchObject({ status: 'failed', error_code: 'canceled' });
  await expect.poll(() => server.cancels(), { timeout: 5_000 }).toContain(task.id);
});

it('a node that only runs tasks answers for its health and nothing else', async () => {
  expect((await request(`${back!.url}/health/ready`)).statusCode).toBe(200);
  const { status } = await clients[1]!.post('/v1/text_to_image', { model: MODEL, prompt: 'x' });
  expect(status).toBe(404);
});

it('a node with another secret refuses to start', async () => {
  const env = { DATABASE_URL: fleet.databaseUrl, RUNAPI_GATEWAY_SECRET: 'x'.repeat(40) };
  await expect(startGateway({ dataDir: await makeDataDir(), env })).rejects.toThrow(
    /RUNAPI_GATEWAY_SECRET is not the secret/,
  );
});

it('nodes that start at once on an empty database make one first key', async () => {
  await fleet.query('CREATE DATABASE empty');
  const url = new URL(fleet.databaseUrl);
  url.pathname = '/empty';
  const env = { DATABASE_URL: url.href, RUNAPI_GATEWAY_BOOTSTRAP_KEY: '' };
  const nodes = await Promise.all(
    [1, 2, 3].map(async () => startGateway({ dataDir: await makeDataDir(), env })),
  );
  for (const node of nodes) await node.stop();
  expect(await fleet.query('SELECT 1 AS up')).toEqual([{ up: 1 }]);
  const keys = await fleet.queryIn(url.href, 'SELECT count(*)::int AS count FROM gateway.keys');
  expect(keys).toEqual([{ count: 1 }]);
});

it('without its database a node is not ready and answers 503, and recovers by itself', async () => {
  await fleet.postgres.pause();
  try {
    await expect
      .poll(async () => (await request(`${front!.url}/health/ready`)).statusCode, {
        timeout: 10_000,
      })
      .toBe(503);
    const answer = await clients[0]!.post('/v1/text_to_image', { model: MODEL, prompt: 'x' });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toMatch(/^\d+$/);
    expect((await request(`${front!.url}/health/live`)).statusCode).toBe(200);
  } finally {
    await fleet.postgres.resume();
  }
  await expect
    .poll(async () => (await request(`${front!.url}/health/ready`)).statusCode, { timeout: 20_000 })
    .toBe(200);
  const task = await create('delay=10');
  expect((await clients[0]!.until(task.id)).status).toBe('completed');
});
