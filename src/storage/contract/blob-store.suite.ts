// What every blob store must do, whatever keeps the bytes. Each is called with a store of its own, empty.
import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BlobInfo, BlobStore } from '../../kernel/blob-store.ts';

const digits = Buffer.from('0123456789');

export function describeBlobStore(name: string, open: () => Promise<BlobStore>): void {
  describe(name, () => {
    let blobs: BlobStore;
    beforeAll(async () => {
      blobs = await open();
    });

    describeBytes(() => blobs);
    describeKeys(() => blobs);
    describeLists(() => blobs);
  });
}

function describeBytes(blobs: () => BlobStore): void {
  it('gives bytes back as they went in, whole and streamed', async () => {
    await blobs().put('outputs/a/0.png', digits);
    expect(await bytesOf(blobs(), 'outputs/a/0.png')).toEqual(digits);
    const { stream, sizeBytes } = await opened(blobs(), 'outputs/a/0.png');
    expect(sizeBytes).toBe(10);
    expect(await buffer(stream)).toEqual(digits);
  });

  it.each([
    [2, 4, '234'],
    [0, 0, '0'],
    [9, 9, '9'],
    [7, 99, '789'],
    [10, 12, ''],
  ])('streams the range %i to %i and says how large the whole is', async (start, end, text) => {
    const key = `ranges/${start}-${end}`;
    await blobs().put(key, digits);
    const { stream, sizeBytes } = await opened(blobs(), key, { start, end });
    expect(sizeBytes).toBe(10);
    expect((await buffer(stream)).toString()).toBe(text);
  });

  it('keeps every one of 12 MB', async () => {
    const bytes = randomBytes(12 * 1024 * 1024);
    await blobs().put('large/12.bin', bytes);
    const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');
    expect(sha256(await bytesOf(blobs(), 'large/12.bin'))).toBe(sha256(bytes));
    const { stream, sizeBytes } = await opened(blobs(), 'large/12.bin');
    expect(sizeBytes).toBe(bytes.byteLength);
    expect(sha256(await buffer(stream))).toBe(sha256(bytes));
  });

  it('keeps a blob without bytes', async () => {
    await blobs().put('empty/0', new Uint8Array());
    expect(await blobs().read('empty/0')).toHaveLength(0);
    const { stream, sizeBytes } = await opened(blobs(), 'empty/0');
    expect([sizeBytes, (await buffer(stream)).byteLength]).toEqual([0, 0]);
  });

  it('lets a reader go away in the middle', async () => {
    await blobs().put('large/left.bin', Buffer.alloc(4 * 1024 * 1024, 1));
    for (let round = 0; round < 3; round += 1) {
      const { stream } = await opened(blobs(), 'large/left.bin');
      stream.on('error', () => {});
      await new Promise((resolve) => stream.once('data', resolve));
      stream.destroy();
    }
    expect(await blobs().read('large/left.bin')).toHaveLength(4 * 1024 * 1024);
  });

  it('knows no blob that is not there, or no more, and deletes it without an error', async () => {
    await blobs().put('gone/a', digits);
    await blobs().delete('gone/a');
    for (const key of ['gone/a', 'gone/never', 'never']) {
      expect(await blobs().read(key)).toBeNull();
      expect(await blobs().open(key)).toBeNull();
      expect(await blobs().open(key, { start: 1, end: 2 })).toBeNull();
      await blobs().delete(key);
    }
  });
}

function describeKeys(blobs: () => BlobStore): void {
  it.each(['a', '-', '_', 'a..b', 'a.', 'A/a', 'deep/1/2/3/4/5/6/7/8', '-._/_.-', 'x'.repeat(200)])(
    'takes the key %j',
    async (key) => {
      await blobs().put(`keys/${key}`, digits);
      expect(await bytesOf(blobs(), `keys/${key}`)).toEqual(digits);
      expect(await keysBelow(blobs(), `keys/${key}`)).toContain(`keys/${key}`);
      await blobs().delete(`keys/${key}`);
      expect(await blobs().read(`keys/${key}`)).toBeNull();
    },
  );

  it.each([
    '../x',
    '/etc/passwd',
    'a/../b',
    '',
    'a//b',
    'a/',
    '.hidden',
    'a b',
    'a\\b',
    'é',
    'a\n',
  ])('refuses the key %j', async (key) => {
    await expect(blobs().put(key, digits)).rejects.toThrow(/not a blob key/);
    await expect(blobs().read(key)).rejects.toThrow(/not a blob key/);
    await expect(blobs().open(key)).rejects.toThrow(/not a blob key/);
    await expect(blobs().delete(key)).rejects.toThrow(/not a blob key/);
  });
}

function describeLists(blobs: () => BlobStore): void {
  it('lists what starts with a prefix, a folder or the front of a name', async () => {
    const before = Date.now();
    const names = ['list/a/1', 'list/a/2', 'list/ab', 'list/b', 'listed'];
    for (const key of names) await blobs().put(key, digits);
    expect(await keysBelow(blobs(), 'list/a/')).toEqual(['list/a/1', 'list/a/2']);
    expect(await keysBelow(blobs(), 'list/a')).toEqual(['list/a/1', 'list/a/2', 'list/ab']);
    expect(await keysBelow(blobs(), 'list')).toEqual(names);
    expect(await keysBelow(blobs(), 'nothing/')).toEqual([]);
    for (const { sizeBytes, modifiedAt } of await listed(blobs(), 'list')) {
      expect(sizeBytes).toBe(10);
      expect(Math.abs(modifiedAt - before)).toBeLessThan(60_000);
    }
  });

  it('lists everything below the empty prefix', async () => {
    await blobs().put('all/here', digits);
    expect(await keysBelow(blobs(), '')).toContain('all/here');
  });

  it('lists on while what it named is deleted', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `sweep/${index}`);
    for (const key of names) await blobs().put(key, digits);
    const seen: string[] = [];
    for await (const { key } of blobs().list('sweep/')) {
      seen.push(key);
      await blobs().delete(key);
    }
    expect(seen.sort()).toEqual(names.sort());
    expect(await keysBelow(blobs(), 'sweep/')).toEqual([]);
  });
}

async function bytesOf(blobs: BlobStore, key: string): Promise<Buffer> {
  const bytes = await blobs.read(key);
  if (bytes === null) throw new Error(`there is no blob ${key}`);
  return Buffer.from(bytes);
}

async function opened(blobs: BlobStore, key: string, range?: { start: number; end: number }) {
  const blob = await blobs.open(key, range);
  if (blob === null) throw new Error(`there is no blob ${key}`);
  return blob;
}

async function listed(blobs: BlobStore, prefix: string): Promise<BlobInfo[]> {
  const found: BlobInfo[] = [];
  for await (const info of blobs.list(prefix)) found.push(info);
  return found;
}

async function keysBelow(blobs: BlobStore, prefix: string): Promise<string[]> {
  return (await listed(blobs, prefix)).map(({ key }) => key).sort();
}
