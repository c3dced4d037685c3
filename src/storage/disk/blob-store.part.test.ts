import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BlobStore } from '../../kernel/blob-store.ts';
import { createDiskBlobStore } from './blob-store.ts';

const dir = mkdtempSync(join(tmpdir(), 'runapi-blobs-'));
let blobs: BlobStore;
beforeAll(async () => {
  blobs = await createDiskBlobStore({ dir, isShared: false });
});
afterAll(() => rmSync(dir, { recursive: true }));

const bytes = Buffer.from('0123456789');

describe('blobs on disk', () => {
  it('come back as they went in, whole and by range', async () => {
    await blobs.put('outputs/a/0.png', bytes);
    expect(Buffer.from((await blobs.read('outputs/a/0.png'))!)).toEqual(bytes);
    const part = await blobs.open('outputs/a/0.png', { start: 2, end: 4 });
    expect(part?.sizeBytes).toBe(10);
    expect((await buffer(part!.stream)).toString()).toBe('234');
  });

  it('are never overwritten', async () => {
    await blobs.put('outputs/once', bytes);
    await expect(blobs.put('outputs/once', Buffer.from('other'))).rejects.toThrow();
    expect(Buffer.from((await blobs.read('outputs/once'))!)).toEqual(bytes);
  });

  it('that are not there are null, and deleting them is no error', async () => {
    expect(await blobs.read('outputs/none')).toBeNull();
    expect(await blobs.open('outputs/none')).toBeNull();
    await blobs.delete('outputs/none');
  });

  it('are listed by prefix, without what is still being written', async () => {
    await blobs.put('partials/p.png', bytes);
    const keys: string[] = [];
    for await (const { key, sizeBytes } of blobs.list('partials/')) {
      keys.push(key);
      expect(sizeBytes).toBe(10);
    }
    expect(keys).toEqual(['partials/p.png']);
    const none: string[] = [];
    for await (const { key } of blobs.list('nothing/')) none.push(key);
    expect(none).toEqual([]);
  });

  it.each(['../x', '/etc/passwd', 'a/../b', '', 'a//b', '.hidden', 'a b', 'a\\b'])(
    '%j is no key',
    async (key) => {
      await expect(blobs.put(key, bytes)).rejects.toThrow(/not a blob key/);
    },
  );
});
