// Stops that were asked for: what runs may end, what was not sent is given back, nothing is lost.
import { request } from 'undici';
import { afterAll, describe, expect, it } from 'vitest';
import { createClient, readEvents } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { makeDataDir, startGateway, type TestGateway } from '../support/gateway.ts';
import { startScripted } from '../support/scripted.ts';

const stops: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
});

async function setUp(form: 'immediate' | 'job', settings: object = {}) {
  const scripted = await startScripted(form, settings);
  stops.push(() => scripted.server.stop());
  const options = { config: scripted.config, dataDir: await makeDataDir() };
  const start = async (): Promise<TestGateway> => {
    const gateway = await startGateway(options);
    stops.push(() => gateway.stop());
    return gateway;
  };
  return { server: scripted.server, start };
}

async function createMany(gateway: TestGateway, count: number, script: string): Promise<string[]> {
  const client = createClient(gateway);
  const body = { model: 'gpt-image-2', prompt: `x [[script: ${script}]]` };
  const answers = await Promise.all(
    Array.from({ length: count }, () => client.post('/v1/text_to_image', body)),
  );
  await client.close();
  return answers.map(({ body: task }) => task.id);
}

async function expectAllCompleted(gateway: TestGateway, ids: readonly string[]): Promise<void> {
  const client = createClient(gateway);
  for (const id of ids) {
    expect(await client.until(id)).toMatchObject({ status: 'completed' });
    const { attempts } = await gateway.trace(id);
    expect(attempts.filter(({ state }) => state === 'uncertain')).toEqual([]);
  }
  await client.close();
}

/** 200: takes work; 503: does not; null: nobody listens. */
async function readiness(gateway: TestGateway): Promise<number | null> {
  try {
    const { statusCode, body } = await request(`${gateway.url}/health/ready`);
    await body.dump();
    return statusCode;
  } catch {
    return null;
  }
}

describe('SIGTERM', () => {
  it('lets running calls end, gives the rest back, and exits with 0', async () => {
    const { server, start } = await setUp('immediate', { tasks: { upstream_slots: 5 } });
    const first = await start();
    const ids = await createMany(first, 20, 'delay=800');
    await eventually(() => server.creates().length >= 5);
    first.signal('SIGTERM');
    await eventually(async () => (await readiness(first)) === 503);
    expect(await first.exited).toBe(0);
    expect(server.creates().length).toBeLessThan(20);
    await expectAllCompleted(await start(), ids);
    expect(server.creates(), 'nothing was sent twice').toHaveLength(20);
  });

  it('ends waiting callers at once, with a hint when to come back', async () => {
    const { start } = await setUp('immediate');
    const gateway = await start();
    const [id] = await createMany(gateway, 1, 'delay=5000');
    const client = createClient(gateway);
    await eventually(async () => (await client.get(`/v1/tasks/${id}`)).body.status !== 'pending');
    const waiting = client.get(`/v1/tasks/${id}?wait=60`);
    const listening = readEvents(`${gateway.url}/v1/tasks/${id}/events`, gateway.key);
    const raw = await request(`${gateway.url}/v1/tasks/${id}/events`, {
      headers: { authorization: `Bearer ${gateway.key}` },
    });
    gateway.signal('SIGTERM');
    expect((await waiting).body.status).toBe('processing');
    expect((await listening).map(({ event }) => event)).not.toContain('task.completed');
    expect(await raw.body.text()).toMatch(/retry: \d+/);
    expect(gateway.isRunning(), 'the call itself may end').toBe(true);
    expect(await gateway.exited).toBe(0);
    await client.close();
    await expectAllCompleted(await start(), [id!]);
  });

  it('twice stops at once; jobs are resumed by their handles', async () => {
    const { server, start } = await setUp('job');
    const first = await start();
    const ids = await createMany(first, 30, 'delay=6000');
    await eventually(() => server.creates().length === 30);
    first.signal('SIGTERM');
    await eventually(async () => (await readiness(first)) !== 200);
    const askedAt = performance.now();
    first.signal('SIGTERM');
    expect(await first.exited).toBe(0);
    expect(performance.now() - askedAt).toBeLessThan(3_000);
    await expectAllCompleted(await start(), ids);
    expect(server.creates()).toHaveLength(30);
  });

  it('waits no longer than shutdown_ms_max', async () => {
    const { server, start } = await setUp('job', { shutdown_ms_max: 300 });
    const first = await start();
    const ids = await createMany(first, 10, 'delay=5000');
    await eventually(() => server.creates().length === 10);
    expect(await first.terminate()).toBe(0);
    await expectAllCompleted(await start(), ids);
    expect(server.creates()).toHaveLength(10);
  });
});

it('a task whose process was lost three times while it ran fails as worker_lost', async () => {
  const { server, start } = await setUp('job');
  let gateway = await start();
  const [id] = await createMany(gateway, 1, 'outcome=lost');
  for (let lost = 1; lost <= 3; lost += 1) {
    await eventually(async () => (await gateway.trace(id!)).attempts[0]?.state === 'submitted');
    await gateway.kill9();
    gateway = await start();
  }
  const client = createClient(gateway);
  const task = await client.until(id!);
  expect(task).toMatchObject({ status: 'failed', error_code: 'worker_lost' });
  expect(task.usage).toBeUndefined();
  expect(server.creates()).toHaveLength(1);
  await client.close();
});
