// The main job over HTTP, with the scripted provider: create, status, wait, events, replay, cancel, list.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient, readEvents } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { type ScriptedSetup, startScripted } from '../support/scripted.ts';

let scripted: ScriptedSetup;
let gateway: TestGateway;
let client: Client;

beforeAll(async () => {
  scripted = await startScripted('immediate');
  gateway = await startGateway({ config: scripted.config });
  client = createClient(gateway);
});

afterAll(async () => {
  await client.close();
  await gateway.stop();
  await scripted.server.stop();
});

const create = (script: string, extra: object = {}, headers: object = {}) =>
  client.post(
    '/v1/text_to_image',
    { model: 'gpt-image-2', prompt: `x [[script: ${script}]]`, ...extra },
    headers,
  );

describe('a task', () => {
  it('is answered at once and ends with an image of exactly the promised size', async () => {
    const created = await create('delay=50', { output_resolution: '2K', aspect_ratio: '３：４' });
    expect(created.status).toBe(200);
    expect(created.body).toMatchObject({ status: 'pending', model: 'gpt-image-2' });
    expect(created.headers['x-runapi-task-id']).toBe(created.body.id);
    const task = await client.until(created.body.task_id);
    expect(task.images).toMatchObject([{ width: 1728, height: 2304, content_type: 'image/png' }]);
    expect(task.usage).toEqual({ cost: 0.1, generated_images: 1 });
    expect(task.provider).toBe('scripted');
  });

  it('is answered on every documented status route, by either spelling of its id', async () => {
    const { body } = await create('delay=1');
    await client.until(body.id);
    for (const id of [body.id, body.task_id, body.id.toUpperCase()]) {
      for (const path of ['/v1/tasks/', '/v1/text_to_image/', '/v1/edit_image/']) {
        expect((await client.get(path + id)).body).toMatchObject({
          id: body.id,
          task_id: body.task_id,
        });
      }
      for (const path of [
        'gpt_image_2/text_to_image/',
        'gpt-image-2/text-to-image/',
        'gpt_image_2/',
      ]) {
        const answer = await client.get(`/api/v1/${path}${id}`);
        expect(answer.body).toMatchObject({ id: body.id, task_id: body.id, status: 'completed' });
      }
    }
    expect((await client.get(`/api/v1/gpt_image_2/edit_image/${body.id}`)).status).toBe(404);
    expect((await client.get(`/api/v1/gpt_image/${body.id}`)).status).toBe(404);
  });

  it('as a Task Result holds the response it stands for', async () => {
    const good = await client.until((await create('delay=1')).body.id);
    const done = await client.get(`/api/v1/tasks/${good.id}`);
    expect(done.body.response).toMatchObject({ status: 200, body: { status: 'completed' } });
    const bad = await client.until((await create('outcome=moderation')).body.id);
    const failed = await client.get(`/api/v1/tasks/${bad.id}`);
    expect(failed.body.response).toMatchObject({
      status: 400,
      body: { error: { code: 'content_policy' } },
    });
  });

  it('can be waited for, by query and by Prefer', async () => {
    const waited = await create('delay=300', {}, { prefer: 'wait=20' });
    expect(waited.body.status).toBe('completed');
    const { body } = await create('delay=300');
    expect((await client.get(`/v1/tasks/${body.id}?wait=20`)).body.status).toBe('completed');
    expect((await client.get(`/v1/tasks/${body.id}?wait=61`)).body.errors).toHaveProperty('wait');
  });

  it('tells its story as events, which resume after the last one seen', async () => {
    const { body } = await create('delay=100');
    const events = await readEvents(body.urls!.events, gateway.key);
    const states = events.filter(({ id }) => id !== null).map(({ event }) => event);
    expect(states).toEqual(['task.pending', 'task.processing', 'task.completed']);
    const rest = await readEvents(body.urls!.events, gateway.key, {
      'last-event-id': events[0]!.id,
    });
    expect(rest.map(({ event }) => event)).toEqual(['task.processing', 'task.completed']);
    const none = await readEvents(body.urls!.events, gateway.key, {
      'last-event-id': events.at(-1)!.id,
    });
    expect(none).toEqual([]);
  });
});

describe('an idempotency key', () => {
  it('makes one task of fifty concurrent creates', async () => {
    const headers = { 'idempotency-key': `dup-${Math.random()}` };
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => create('delay=20', {}, headers)),
    );
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ body }) => body.task_replayed !== true)).toHaveLength(1);
    await client.until(answers[0]!.body.id);
    const creates = scripted.server
      .creates()
      .filter(({ taskId }) => taskId === answers[0]!.body.id);
    expect(creates).toHaveLength(1);
  });

  it('with another request is a conflict, and is not spent by a refused one', async () => {
    const headers = { 'idempotency-key': `conflict-${Math.random()}` };
    expect((await create('delay=1', { aspect_ratio: '7:7' }, headers)).status).toBe(400);
    expect((await create('delay=1', {}, headers)).status).toBe(200);
    const conflict = await create('delay=2', {}, headers);
    expect(conflict.status).toBe(409);
    expect(conflict.body).toMatchObject({ error: { code: 'request_conflict' } });
  });

  it.each(['', 'x'.repeat(513)])('of a wrong length is refused', async (key) => {
    expect((await create('delay=1', {}, { 'idempotency-key': key })).status).toBe(400);
  });
});

describe('cancelling', () => {
  it('ends a running task, charges nothing, and changes an ended one no more', async () => {
    const { body } = await create('outcome=hang');
    const canceled = await client.post(`/v1/tasks/${body.task_id}/cancel`, {});
    expect(canceled.body).toMatchObject({ status: 'failed', error_code: 'canceled' });
    expect(canceled.body.usage).toBeUndefined();
    const again = await client.post(`/v1/tasks/${body.task_id}/cancel`, []);
    expect(again.body).toEqual(canceled.body);
    const done = await client.until((await create('delay=1')).body.id);
    expect((await client.post(`/v1/tasks/${done.id}/cancel`, {})).body.status).toBe('completed');
  });
});

describe('the list', () => {
  it('is newest first, pages by cursor, and filters by client request id', async () => {
    const headers = { 'x-client-request-id': `list-${Math.random()}` };
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) ids.push((await create('delay=1', {}, headers)).body.id);
    const filter = `client_request_id=${headers['x-client-request-id']}`;
    const first = await client.get(`/v1/tasks?limit=3&${filter}`);
    expect(first.body.data!.map(({ id }) => id)).toEqual(ids.slice(2).reverse());
    expect(first.body.has_more).toBe(true);
    const rest = await client.get(
      `/v1/tasks?limit=3&${filter}&after=${first.body.data!.at(-1)!.id}`,
    );
    expect(rest.body.data!.map(({ id }) => id)).toEqual(ids.slice(0, 2).reverse());
    expect(rest.body.has_more).toBe(false);
    for (const query of ['limit=0', 'limit=101', 'limit=x', 'after=zzz']) {
      expect((await client.get(`/v1/tasks?${query}`)).status).toBe(400);
    }
  });
});

describe('what goes wrong upstream', () => {
  it.each([
    ['moderation', 'content_policy'],
    ['caller', 'provider_error'],
    ['operator', 'provider_error'],
    ['bad_response', 'upstream_bad_response'],
  ])('%s ends as %s, charged nothing, without a vendor word', async (outcome, code) => {
    const task = await client.until((await create(`outcome=${outcome}`)).body.id);
    expect(task).toMatchObject({ status: 'failed', error_code: code });
    expect(typeof task.error).toBe('string');
    expect(task.usage).toBeUndefined();
  });

  it('an outcome that may have been billed is repeated once and no more', async () => {
    const recovered = await client.until((await create('outcome=reset,ok')).body.id);
    expect(recovered.status).toBe('completed');
    const lost = await client.until((await create('outcome=reset')).body.id);
    expect(lost).toMatchObject({ status: 'failed', error_code: 'provider_error' });
    const creates = scripted.server.creates().filter(({ taskId }) => taskId === lost.id);
    expect(creates).toHaveLength(2);
  });

  it('"try later" is tried again', async () => {
    const task = await client.until(
      (await create('outcome=try_later,ok retry_after_ms=50')).body.id,
    );
    expect(task.status).toBe('completed');
  });

  it('k of n outputs complete the task at the price of what was delivered', async () => {
    const four = { model: 'gpt-4o-image', aspect_ratio: '1:1' };
    const { body } = await create('outputs=3', { ...four, output_count: 4 });
    const task = await client.until(body.id);
    expect(task.images).toHaveLength(3);
    expect(task.usage).toEqual({ cost: 0.07, generated_images: 3 });
  });

  it('pictures of another size or format are brought to what was promised, and it is said', async () => {
    const task = await client.until((await create('bytes=100x100')).body.id);
    expect(task.images).toMatchObject([{ width: 1024, height: 1024, processed: ['resized'] }]);
  });
});
