// The S3 store against a server that checks signatures: OpenStack Swift.
import {
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlobStore } from '../../src/kernel/blob-store.ts';
import { describeBlobStore } from '../../src/storage/contract/blob-store.suite.ts';
import { createS3BlobStore, type S3BlobStore } from '../../src/storage/s3/blob-store.ts';
import { concurrently } from '../support/concurrently.ts';
import { type SwiftServer, startSwift } from '../support/swift.ts';

const BLOBS_IN_LIST = 1_050;

let swift: SwiftServer;
const stores: S3BlobStore[] = [];
beforeAll(async () => {
  swift = await startSwift();
});
afterAll(async () => {
  for (const store of stores) await store.stop();
  await swift?.stop();
});

async function open(
  change: { prefix?: string; bucket?: string; secretAccessKey?: string } = {},
): Promise<S3BlobStore> {
  const { endpoint, bucket, region, accessKeyId, secretAccessKey } = swift;
  const own = { endpoint, bucket, region, accessKeyId, secretAccessKey };
  const store = await createS3BlobStore({
    ...own,
    prefix: 'runapi/',
    forcePathStyle: true,
    ...change,
  });
  stores.push(store);
  return store;
}

async function keysOf(blobs: BlobStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of blobs.list(prefix)) keys.push(key);
  return keys.sort();
}

describeBlobStore('blobs in S3', () => open());
describeBlobStore('blobs in S3 under a prefix that has to be escaped', () =>
  open({ prefix: `team a+b/ü&=%25?#'()!~*/` }),
);

describe('blobs in S3', () => {
  it(`are listed by pages: ${BLOBS_IN_LIST}`, async () => {
    const blobs = await open({ prefix: 'many/' });
    const names = Array.from({ length: BLOBS_IN_LIST }, (_, index) => `outputs/${index}`);
    await concurrently(names, 16, (key) => blobs.put(key, Buffer.from(key)));
    expect(await keysOf(blobs, 'outputs/')).toEqual(names.sort());
  });

  it('may be read under a signed URL, for its time', async () => {
    const blobs = await open();
    await blobs.put('signed/a.png', Buffer.from('picture'));
    const url = await blobs.presign('signed/a.png', 300);
    const answer = await fetch(url);
    expect([answer.status, await answer.text()]).toEqual([200, 'picture']);
    expect((await fetch(url.replace('signed/a.png', 'signed/b.png'))).status).toBe(403);
    const unsigned = new URL(new URL(url).pathname, url);
    expect((await fetch(unsigned)).status).toBeGreaterThanOrEqual(400);
    const short = await blobs.presign('signed/a.png', 1);
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect((await fetch(short)).status).toBe(403);
  });
});

describe('what lies outside the prefix', () => {
  let client: S3Client;
  const others = ['own', 'own2/outputs/a', 'other/outputs/a', 'outputs/a', 'aa'];

  beforeAll(() => {
    const { endpoint, region, accessKeyId, secretAccessKey } = swift;
    const credentials = { accessKeyId, secretAccessKey };
    client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  });
  afterAll(() => client.destroy());

  const put = (key: string) =>
    client.send(
      new PutObjectCommand({ Bucket: swift.bucket, Key: key, Body: 'theirs', ContentLength: 6 }),
    );

  it('is neither listed, read nor deleted', async () => {
    const blobs = await open({ prefix: 'own/' });
    for (const key of others) await put(key);
    await blobs.put('outputs/a', Buffer.from('ours'));
    expect(await keysOf(blobs, 'outputs/a')).toEqual(['outputs/a']);
    for await (const { key } of blobs.list('')) await blobs.delete(key);
    expect(await blobs.read('outputs/a')).toBeNull();
    for (const Key of others) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: swift.bucket, Key }));
      expect(await Body?.transformToString()).toBe('theirs');
    }
  });

  it('and what is below it under other names is left alone', async () => {
    const blobs = await open({ prefix: 'marks/' });
    for (const key of ['marks/outputs/', 'marks/a b', 'marks/.hidden']) await put(key);
    expect(await keysOf(blobs, '')).toEqual([]);
    const { KeyCount } = await client.send(
      new ListObjectsV2Command({ Bucket: swift.bucket, Prefix: 'marks/' }),
    );
    expect(KeyCount).toBe(3);
  });
});

describe.each([
  ['a wrong secret key', { secretAccessKey: 'wrong' }, /SignatureDoesNotMatch/],
  ['a bucket that is not there', { bucket: 'no-such-bucket' }, /NoSuchBucket/],
])('with %s', (_name, change, reason) => {
  it.each<[string, (blobs: BlobStore) => Promise<unknown>]>([
    ['put', (blobs) => blobs.put('a', Buffer.from('x'))],
    ['read', (blobs) => blobs.read('a')],
    ['open', (blobs) => blobs.open('a')],
    ['open of a range', (blobs) => blobs.open('a', { start: 1, end: 2 })],
    ['delete', (blobs) => blobs.delete('a')],
    ['list', (blobs) => keysOf(blobs, '')],
  ])('%s says so to the operator and asks the caller to try again', async (_verb, use) => {
    await expect(use(await open(change))).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: 'The image storage did not answer. Try again.',
      retryAfterSeconds: 1,
      detail: expect.stringMatching(reason),
    });
  });
});
