// Edits with the built-in illustrator: every form of source, and what is refused.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

let photo: Buffer;
let images: Server;
let port: number;
let hits = 0;
let gateway: TestGateway;
let client: Client;

beforeAll(async () => {
  photo = await sharp({ create: { width: 80, height: 60, channels: 3, background: '#c42' } })
    .png()
    .toBuffer();
  images = createServer((request, response) => {
    hits += 1;
    if (request.url === '/photo.png') response.end(photo);
    else if (request.url === '/text.png') response.end('no picture');
    else response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => images.once('listening', resolve));
  port = (images.address() as AddressInfo).port;
  gateway = await startGateway({
    env: { RUNAPI_GATEWAY_ALLOW_PRIVATE_URLS: `127.0.0.1:${port}` },
  });
  client = createClient(gateway);
});

afterAll(async () => {
  await client.close();
  await gateway.stop();
  images.close();
});

const edit = (sources: unknown, extra: object = {}) =>
  client.post('/v1/edit_image', {
    model: 'gpt-image-2-image-to-image',
    prompt: 'make it black and white',
    source_image_urls: sources,
    ...extra,
  });

const bytesOf = async (url: string) => Buffer.from(await (await fetch(url)).arrayBuffer());

describe('an edit', () => {
  it('takes a data: URL, an http URL and a URL of this gateway, and changes the picture', async () => {
    const data = `data:image/png;base64,${photo.toString('base64')}`;
    const first = await client.until((await edit([data])).body.id);
    expect(first.images).toMatchObject([{ width: 1152, height: 864 }]);
    const pixels = await sharp(await bytesOf(first.images![0]!.url))
      .raw()
      .toBuffer();
    expect(Math.abs(pixels[0]! - pixels[2]!)).toBeLessThan(3);

    const web = await client.until((await edit([`http://127.0.0.1:${port}/photo.png`])).body.id);
    expect(web).toMatchObject({
      status: 'completed',
      interpretation: { size: '1152x864', aspect_ratio: '4:3' },
    });
    expect(hits).toBe(1);

    const own = await edit([first.images![0]!.url], {
      output_resolution: '2k',
      aspect_ratio: '1:1',
    });
    const again = await client.until(own.body.id);
    expect(again.images).toMatchObject([{ width: 2048, height: 2048 }]);
  });

  it('says what served it, in body and header', async () => {
    const { body } = await edit([`data:image/png;base64,${photo.toString('base64')}`]);
    await client.until(body.id);
    const answer = await client.get(`/v1/tasks/${body.id}`);
    expect(answer.body.provider).toBe('illustrator');
    expect(answer.body.warnings!.map(({ code }) => code)).toContain('built_in_engine');
    expect(answer.headers['x-runapi-provider']).toBe('illustrator');
  });

  it('of something that is no picture, or not there, fails and costs nothing', async () => {
    const text = await client.until((await edit([`http://127.0.0.1:${port}/text.png`])).body.id);
    expect(text).toMatchObject({ status: 'failed', error_code: 'source_invalid' });
    const missing = await client.until((await edit([`http://127.0.0.1:${port}/none.png`])).body.id);
    expect(missing).toMatchObject({ status: 'failed', error_code: 'source_unreachable' });
    expect(missing.usage).toBeUndefined();
  });

  it.each([
    [
      ['data:image/png;base64,AAAA'],
      'source_image_urls[0] is not a readable PNG, JPEG or WebP image',
    ],
    [['http://127.0.0.1:1/x.png'], 'source_image_urls[0] must be a public http or https URL'],
    [['http://169.254.169.254/x'], 'source_image_urls[0] must be a public http or https URL'],
    [['ftp://example.com/x.png'], 'source_image_urls[0] must be an http, https or data URL'],
    ['x', 'source_image_urls must be an array'],
    [undefined, 'source_image_urls is required'],
  ])('of %j is refused at once, and nothing is stored', async (sources, sentence) => {
    const before = (await client.get('/v1/tasks?limit=1')).body.data![0]?.id;
    const answer = await edit(sources);
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toEqual({ source_image_urls: [sentence] });
    expect((await client.get('/v1/tasks?limit=1')).body.data![0]?.id).toBe(before);
  });

  it('of a URL of this gateway that names no image is refused, without a call to itself', async () => {
    const answer = await edit([`${gateway.url}/outputs/${'a'.repeat(27)}.png`]);
    expect(answer.status).toBe(400);
  });
});

describe('an output', () => {
  it('is served by URL alone, with ranges, validators and headers that keep it harmless', async () => {
    const data = `data:image/png;base64,${photo.toString('base64')}`;
    const task = await client.until((await edit([data])).body.id);
    const { url, sha256 } = task.images![0]!;
    const whole = await fetch(url);
    const etag = `"${sha256}"`;
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      etag,
      'x-content-type-options': 'nosniff',
      'content-security-policy': "sandbox; default-src 'none'",
      'referrer-policy': 'no-referrer',
    });
    const bytes = Buffer.from(await whole.arrayBuffer());
    const part = await fetch(url, { headers: { range: 'bytes=2-5' } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(2, 6));
    expect((await fetch(url, { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await fetch(url, { headers: { range: 'bytes=99999999-' } })).status).toBe(416);
    const head = await fetch(url, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(bytes.length));
    expect((await fetch(url.replace(/[\w-]{4}\.png$/, 'AAAA.png'))).status).toBe(404);
  });

  it('is gone after its time: 410, while the task stays completed', async () => {
    const short = await startGateway({ config: { tasks: { output_retention_ms: 1000 } } });
    const own = createClient(short);
    const { body } = await own.post('/v1/text_to_image', {
      model: 'gpt-image-2',
      prompt: 'a poster that says "HI"',
    });
    const task = await own.until(body.id);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    const gone = await fetch(task.images![0]!.url);
    expect(gone.status).toBe(410);
    expect((await own.get(`/v1/tasks/${body.id}`)).body.status).toBe('completed');
    await own.close();
    await short.stop();
  });
});
