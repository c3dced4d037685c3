import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describeBlobStore } from '../contract/blob-store.suite.ts';
import { createDiskBlobStore } from './blob-store.ts';

const dir = mkdtempSync(join(tmpdir(), 'runapi-blobs-'));
afterAll(() => rmSync(dir, { recursive: true }));

describeBlobStore('blobs on disk', () =>
  createDiskBlobStore({ dir: join(dir, 'contract'), isShared: false }),
);

describe('blobs on disk', () => {
  it('are never overwritten', async () => {
    const blobs = await createDiskBlobStore({ dir: join(dir, 'once'), isShared: false });
    await blobs.put('outputs/once', Buffer.from('first'));
    await expect(blobs.put('outputs/once', Buffer.from('other'))).rejects.toThrow();
    expect(Buffer.from((await blobs.read('outputs/once'))!).toString()).toBe('first');
  });

  it('that a crash left half written are neither listed nor kept', async () => {
    const root = join(dir, 'crash');
    const half = join(root, '.staging', 'half');
    const blobs = await createDiskBlobStore({ dir: root, isShared: false });
    writeFileSync(half, 'ha');
    for await (const { key } of blobs.list('')) expect(key).toBeNull();
    await createDiskBlobStore({ dir: root, isShared: false });
    expect(existsSync(half)).toBe(false);
  });
});
