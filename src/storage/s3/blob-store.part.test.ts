// What a storage does that a healthy one never would: answers late, twice, half or not at all.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createS3BlobStore, type S3BlobStore } from './blob-store.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let blobs: S3BlobStore;
let requests: string[];
let answers: Answer[];

beforeEach(async () => {
  requests = [];
  answers = [];
  server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.resume();
    request.on('end', () => {
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      answer?.(request, response);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  blobs = await open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

afterEach(async () => {
  await blobs.stop?.();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function open(endpoint: string | null): Promise<S3BlobStore> {
  return createS3BlobStore({
    endpoint,
    region: 'eu-central-1',
    bucket: 'images',
    prefix: 'runapi/',
    accessKeyId: 'id',
    secretAccessKey: 'very secret',
    forcePathStyle: endpoint !== null,
  });
}

const says =
  (status: number, code: string): Answer =>
  (_request, response) =>
    response
      .writeHead(status, { 'content-type': 'application/xml' })
      .end(`<Error><Code>${code}</Code><Message>of the vendor</Message></Error>`);
const is =
  (text: string): Answer =>
  (_request, response) =>
    response.end(text);
const breaksAfter =
  (text: string): Answer =>
  (_request, response) => {
    response.writeHead(200, { 'content-length': 1_000_000 });
    response.write(text, () => setTimeout(() => response.destroy(), 20));
  };

describe('a storage that fails', () => {
  it('for a moment is asked again', async () => {
    answers = [says(503, 'SlowDown'), says(500, 'InternalError'), is('picture')];
    expect(Buffer.from((await blobs.read('a'))!).toString()).toBe('picture');
    expect(requests).toHaveLength(3);
  });

  it('for good is asked three times, and an upload is sent whole each time', async () => {
    answers = [says(503, 'SlowDown')];
    await expect(blobs.put('a', Buffer.from('x'))).rejects.toMatchObject({
      code: 'storage_unavailable',
      retryAfterSeconds: 1,
      detail: expect.stringContaining('SlowDown'),
    });
    expect(requests).toEqual(Array(3).fill('PUT /images/runapi/a?x-id=PutObject'));
  });

  it('tells callers nothing of the vendor', async () => {
    answers = [says(403, 'AccessDenied')];
    const error = await blobs.read('a').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'storage_unavailable' });
    expect((error as Error).message).not.toMatch(/vendor|images|127\.0\.0\.1/);
    expect(JSON.stringify(error)).not.toContain('very secret');
  });

  it('in the middle of a blob fails the read, or the stream', async () => {
    answers = [breaksAfter('half')];
    await expect(blobs.read('a')).rejects.toMatchObject({ code: 'storage_unavailable' });
    const { stream } = (await blobs.open('a'))!;
    await expect(buffer(stream)).rejects.toThrow();
  });

  it('or is not there at all, is one error', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(blobs.read('a')).rejects.toMatchObject({
      code: 'storage_unavailable',
      detail: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('by answering something else than S3 does not pass for an empty one', async () => {
    answers = [is('<html><body>Welcome to the router</body></html>')];
    await expect(blobs.list('')[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
  });
});

describe('the address of a blob', () => {
  it('is below the endpoint with path style, below the bucket’s own host without', async () => {
    const amazon = await open(null);
    expect(await amazon.presign('outputs/a.png', 60)).toMatch(
      /^https:\/\/images\.s3\.eu-central-1\.amazonaws\.com\/runapi\/outputs\/a\.png\?.*X-Amz-Expires=60/,
    );
    await amazon.stop();
    expect(await blobs.presign('a', 60)).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/images\/runapi\/a\?/);
  });

  it.each(['', '/', 'runapi'])('needs a prefix that is a folder, not %j', async (prefix) => {
    await expect(
      createS3BlobStore({
        endpoint: null,
        region: 'eu-central-1',
        bucket: 'images',
        prefix,
        accessKeyId: 'id',
        secretAccessKey: 'very secret',
        forcePathStyle: false,
      }),
    ).rejects.toThrow('not a prefix');
  });
});

describe('the SDK', () => {
  const store = new URL('./blob-store.ts', import.meta.url).href;
  const run = (program: string, env: Record<string, string> = {}): string =>
    execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      env: { PATH: process.env['PATH'] ?? '', ...env },
      encoding: 'utf8',
    }).trim();

  it('is not loaded by a start without S3', () => {
    const program = `
      import { registerHooks } from 'node:module';
      let count = 0;
      registerHooks({ load(url, context, next) { if (url.includes('@aws-sdk')) count += 1; return next(url, context); } });
      await import('../../compose.ts');
      console.log(count);
    `;
    expect(run(program)).toBe('0');
  });

  it('takes nothing from the environment', () => {
    const program = `
      const { createS3BlobStore } = await import('${store}');
      const blobs = await createS3BlobStore({ endpoint: null, region: 'eu-central-1', bucket: 'images',
        prefix: 'runapi/', accessKeyId: 'id', secretAccessKey: 'secret', forcePathStyle: false });
      console.log(await blobs.presign('a', 60));
    `;
    const url = run(program, {
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
      AWS_REGION: 'us-west-2',
      AWS_ACCESS_KEY_ID: 'other',
      AWS_SECRET_ACCESS_KEY: 'other',
      AWS_USE_FIPS_ENDPOINT: 'true',
      AWS_USE_DUALSTACK_ENDPOINT: 'true',
    });
    expect(url).toMatch(/^https:\/\/images\.s3\.eu-central-1\.amazonaws\.com\/.*Credential=id%2F/);
  });
});
