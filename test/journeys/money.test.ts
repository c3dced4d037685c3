// Keys, balance and price as a caller and an operator meet them: a prepaid account, the command line, the audit.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { engineSettings, startGateway, type TestGateway } from '../support/gateway.ts';
import { type ScriptedSetup, startScripted } from '../support/scripted.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let scripted: ScriptedSetup;
let gateway: TestGateway;
let client: Client;

beforeAll(async () => {
  scripted = await startScripted('immediate');
  gateway = await startGateway({
    config: scripted.config,
    env: { RUNAPI_GATEWAY_BOOTSTRAP_BALANCE_CENTS: '20' },
  });
  client = createClient(gateway);
});

afterAll(async () => {
  await client.close();
  await gateway.stop();
  await scripted.server.stop();
});

const body = (script: string, extra: object = {}) => ({
  model: 'gpt-image-2',
  prompt: `x [[script: ${script}]]`,
  ...extra,
});
const create = (script: string, extra: object = {}, headers: object = {}) =>
  client.post('/v1/text_to_image', body(script, extra), headers);
const balance = async () =>
  (await client.get('/api/v1/me/balance')).body as unknown as Record<string, number>;

async function cli(...args: string[]) {
  const env = {
    PATH: process.env['PATH'],
    RUNAPI_GATEWAY_DATA_DIR: gateway.dataDir,
    ...(await engineSettings(gateway.dataDir)),
  };
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args, '--json'], {
    env,
  });
  return JSON.parse(stdout) as never;
}

describe('money', () => {
  it('a picture costs its listed price, a failure and a cancel cost nothing', async () => {
    expect(await balance()).toEqual({
      balance_cents: 20,
      paid_balance_cents: 20,
      bonus_balance_cents: 0,
      spent_cents_today: 0,
      spent_cents_total: 0,
    });
    const paid = await create('delay=1', { output_resolution: '1k' });
    expect(paid.body).toMatchObject({ quote: { amount_cents: 6 } });
    expect(await client.until(paid.body.id)).toMatchObject({ usage: { cost: 0.06 } });
    const failed = await create('fail=moderation');
    await client.until(failed.body.id);
    const slow = await create('delay=60000');
    expect((await balance())['balance_cents']).toBe(8);
    await client.post(`/v1/tasks/${slow.body.id}/cancel`, {});
    expect(await balance()).toMatchObject({ balance_cents: 14, spent_cents_total: 6 });
  });

  it('what the balance does not cover is refused with price, balance and gap, and leaves nothing', async () => {
    const refused = await create('delay=1', { output_resolution: '4k' });
    expect(refused.status).toBe(402);
    expect(refused.body).toMatchObject({
      code: 'insufficient_credits',
      error: { limit_source: 'balance', type: 'insufficient_quota' },
    });
    expect((refused.body.error as { message: string }).message).toContain(
      'costs 16 cents; 14 cents are available, 2 cents short',
    );
    expect((await balance())['balance_cents']).toBe(14);
  });

  it('a dry run says what the create would answer, and leaves nothing', async () => {
    const dry = (extra: object) =>
      client.post('/v1/text_to_image?dry_run=true', body('delay=1', extra));
    const answer = await dry({ output_resolution: '2k', aspect_ratio: '3:4' });
    expect(answer.body).toMatchObject({
      dry_run: true,
      provider: 'scripted',
      quote: { amount_cents: 10 },
      balance_after_cents: 4,
      interpretation: { size: '1728x2304' },
    });
    expect((await dry({ output_resolution: '4k' })).body).toMatchObject({
      error: { limit_source: 'balance' },
    });
    expect((await dry({ output_resolution: '9k' })).status).toBe(400);
    expect((await balance())['balance_cents']).toBe(14);
    expect((await client.get('/v1/tasks')).body.data).toHaveLength(3);
  });

  it('a dearer request than the caller allows is refused', async () => {
    const limit = { 'x-runapi-max-cost-cents': '6' };
    const refused = await create('delay=1', { output_resolution: '2k' }, limit);
    expect([refused.status, refused.body]).toMatchObject([402, { code: 'max_cost_exceeded' }]);
    const wrong = await create('delay=1', {}, { 'x-runapi-max-cost-cents': 'six' });
    expect(wrong.status).toBe(400);
  });

  it('the operator makes, limits, rotates and revokes keys, and each change holds within a second', async () => {
    await cli('credits', 'grant', '1', '100', '--reason', 'test');
    const { key, id } = await cli('keys', 'create', 'limited', '--spend-per-day', '6');
    const limited = createClient({ url: gateway.url, key });
    expect((await limited.get('/api/v1/me')).body).toMatchObject({ email: 'demo@example.com' });
    const first = await limited.post('/v1/text_to_image', body('delay=1'));
    expect(first.status).toBe(200);
    const second = await limited.post('/v1/text_to_image', body('delay=1'));
    expect([second.status, second.body]).toMatchObject([
      402,
      { error: { limit_source: 'key_day' } },
    ]);
    const rotated: { key: string } = await cli('keys', 'rotate', id, '--overlap', '1');
    const next = createClient({ url: gateway.url, key: rotated.key });
    expect((await next.get('/api/v1/me')).status).toBe(200);
    expect((await limited.get('/api/v1/me')).status).toBe(200);
    await cli('keys', 'revoke', id);
    await eventually(async () => (await limited.get('/api/v1/me')).status === 401);
    const chatOnly: { key: string } = await cli('keys', 'create', 'chat', '--scopes', 'chat');
    const chat = createClient({ url: gateway.url, key: chatOnly.key });
    expect((await chat.get('/v1/tasks')).status).toBe(403);
    for (const one of [limited, next, chat]) await one.close();
  });

  it('the price list and single prices are open, and say what a create costs', async () => {
    const list = await client.get('/api/v1/price_schedules?service=gpt-image-2');
    const { price_schedules: rows } = list.body as unknown as { price_schedules: object[] };
    expect(rows).toContainEqual(
      expect.objectContaining({
        action: 'text_to_image',
        model: 'gpt-image-2',
        unit_price_cents: 6,
        billing_config: { key: 'output_resolution', overrides: { '2k': 10, '4k': 16 } },
      }),
    );
    const etag = String(list.headers['etag']);
    const path = '/api/v1/price_schedules?service=gpt-image-2';
    expect((await client.get(path, { 'if-none-match': etag })).status).toBe(304);
    const quote = (params: unknown) =>
      client.post('/api/v1/price_quotes', {
        service: 'gpt_image_2',
        action: 'edit-image',
        model: 'gpt-image-2',
        params,
      });
    const price = { price_quote: { reservation_amount_cents: 16 } };
    expect((await quote({ output_resolution: '4k' })).body).toMatchObject(price);
    expect((await quote([])).status).toBe(200);
    const wrong = await quote({ output_resolution: '9k' });
    expect([wrong.status, Object.keys(wrong.body.errors ?? {})]).toEqual([
      400,
      ['output_resolution'],
    ]);
  });

  it('a key of another vendor is told where it belongs', async () => {
    const stranger = createClient({ url: gateway.url, key: 'sk-proj-1234567890' });
    const answer = await stranger.get('/v1/tasks');
    expect(answer.status).toBe(401);
    expect(JSON.stringify(answer.body)).toContain('OPENAI_API_KEY');
    await stranger.close();
  });

  it('a sandbox key moves no money', async () => {
    const before = await balance();
    const { key } = await cli('keys', 'create', 'sandbox', '--sandbox');
    const sandbox = createClient({ url: gateway.url, key });
    const made = await sandbox.post('/v1/text_to_image', { model: 'gpt-image-2', prompt: 'x' });
    expect(await sandbox.until(made.body.id)).toMatchObject({ usage: { cost: 0 } });
    expect(await balance()).toEqual(before);
    await sandbox.close();
  });

  it('after all that, everything adds up', async () => {
    expect(await cli('audit')).toEqual([]);
    const lines: { kind: string; reason: string | null }[] = await cli('credits', 'statement', '1');
    expect(lines.filter(({ reason }) => reason === 'test')).toHaveLength(1);
  });
});
