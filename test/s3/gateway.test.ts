// A real gateway that keeps its images in S3, over its network only.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, createClient } from '../support/client.ts';
import { makeDataDir, startGateway, type TestGateway } from '../support/gateway.ts';
import { type ScriptedSetup, startScripted } from '../support/scripted.ts';
import { type SwiftServer, startSwift } from '../support/swift.ts';

let swift: SwiftServer;
let scripted: ScriptedSetup;
let gateway: TestGateway;
let client: Client;

beforeAll(async () => {
  swift = await startSwift();
  scripted = await startScripted('immediate');
  await start(await makeDataDir());
});

afterAll(async () => {
  await client?.close();
  await gateway?.stop();
  await scripted?.server.stop();
  await swift?.stop();
});

async function start(dataDir: string): Promise<void> {
  gateway = await startGateway({
    config: scripted.config,
    dataDir,
    env: {
      RUNAPI_GATEWAY_S3_ENDPOINT: swift.endpoint,
      RUNAPI_GATEWAY_S3_BUCKET: swift.bucket,
      RUNAPI_GATEWAY_S3_ACCESS_KEY_ID: swift.accessKeyId,
      RUNAPI_GATEWAY_S3_SECRET_ACCESS_KEY: swift.secretAccessKey,
    },
  });
  client = createClient(gateway);
}

describe('a gateway with S3', () => {
  it('makes, serves and, after a restart, still has an image that its data folder does not hold', async () => {
    const { body } = await client.post('/v1/text_to_image', {
      model: 'gpt-image-2',
      prompt: 'x [[script: delay=1]]',
    });
    const [image] = (await client.until(body.id)).images ?? [];
    if (!image) throw new Error('no image');
    const sha256 = async (path: string) => {
      const answer = await fetch(`${gateway.url}${path}`);
      expect(answer.headers.get('content-type')).toBe('image/png');
      const bytes = Buffer.from(await answer.arrayBuffer());
      return createHash('sha256').update(bytes).digest('hex');
    };
    const { pathname } = new URL(image.url);
    expect(await sha256(pathname)).toBe(image.sha256);
    const part = await fetch(image.url, { headers: { range: 'bytes=1-3' } });
    expect([part.status, await part.text()]).toEqual([206, 'PNG']);
    expect(existsSync(join(gateway.dataDir, 'blobs'))).toBe(false);

    await client.close();
    await gateway.terminate();
    await start(gateway.dataDir);
    expect(await sha256(pathname)).toBe(image.sha256);
  });

  it('answers 503 with Retry-After for an image while the storage is away', async () => {
    const { body } = await client.post('/v1/text_to_image', {
      model: 'gpt-image-2',
      prompt: 'x [[script: delay=1]]',
    });
    const [image] = (await client.until(body.id)).images ?? [];
    if (!image) throw new Error('no image');
    await swift.stop();
    const answer = await fetch(image.url);
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(await answer.text()).toContain('The image storage did not answer');
  });
});
