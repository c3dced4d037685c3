import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { acceptInput, claimAndRecord, makeAccount, startNode } from '../contract/fixtures.ts';
import { createDiskBlobStore } from '../disk/blob-store.ts';
import { createSqliteStore } from '../sqlite/store.ts';
import { makeBackup } from './make.ts';
import { checkRestored, forgetRestore, restoreBackup } from './restore.ts';

const root = mkdtempSync(join(tmpdir(), 'runapi-backup-'));
const dataDir = join(root, 'data');
const onProgress = () => {};
let keys: readonly string[];

const backUp = (to: string) =>
  makeBackup({
    dataDir,
    to: join(root, to),
    version: '0',
    startedAt: 0,
    secretElsewhere: null,
    blobsElsewhere: null,
    onProgress,
  });
const restore = (from: string, to: string) =>
  restoreBackup({ from: join(root, from), dataDir: join(root, to), onProgress });

/** Two outputs that rows name, the second without its blob, as after retention. */
beforeAll(async () => {
  const store = await createSqliteStore({ dataDir });
  const owner = await makeAccount(store);
  await store.run('tasks.accept', acceptInput(owner, { outputCount: 2 }));
  const { fence } = await claimAndRecord(store, await startNode(store), 2);
  const task = await store.run('tasks.get', { taskId: fence.taskId, accountId: null });
  keys = task?.outputs.map(({ blobKey }) => blobKey) ?? [];
  await store.stop();
  const blobs = await createDiskBlobStore({ dir: join(dataDir, 'blobs'), isShared: false });
  await blobs.put(keys[0]!, randomBytes(200_000));
  await blobs.put('outputs/unnamed', randomBytes(10));
  writeFileSync(join(dataDir, 'secret'), 'x'.repeat(48));
});
afterAll(() => rmSync(root, { recursive: true }));

describe('a backup', () => {
  it('holds what rows name, says what was gone, and is for its owner only', async () => {
    const manifest = await backUp('first');
    expect(manifest).toMatchObject({ tasks: 1, unfinished: 1, missing: [keys[1]] });
    expect(readdirSync(join(root, 'first')).sort()).toEqual(
      ['SHA256SUMS', 'blobs', 'gateway.db', 'manifest.json', 'secret'].sort(),
    );
    expect(readdirSync(join(root, 'first/blobs/outputs'))).toEqual([keys[0]?.split('/')[1]]);
    for (const name of readdirSync(join(root, 'first'), { recursive: true }) as string[]) {
      expect(statSync(join(root, 'first', name)).mode & 0o077, name).toBe(0);
    }
    expect(statSync(join(root, 'first')).mode & 0o777).toBe(0o700);
  });

  it('never replaces another', async () => {
    await expect(backUp('first')).rejects.toThrow('exists already');
  });

  it('that fails leaves nothing behind', async () => {
    rmSync(join(dataDir, 'secret'));
    await expect(backUp('second')).rejects.toThrow('secret is missing');
    writeFileSync(join(dataDir, 'secret'), 'x'.repeat(48));
    expect(readdirSync(root).filter((name) => name.startsWith('second'))).toEqual([]);
  });
});

describe('a restore', () => {
  it('is served only once somebody has decided what becomes of its unfinished tasks', async () => {
    await restore('first', 'again');
    const folder = join(root, 'again');
    await expect(checkRestored(folder, false)).rejects.toThrow('--after-restore');
    await checkRestored(folder, true);
    await forgetRestore(folder);
    await checkRestored(folder, false);
    const store = await createSqliteStore({ dataDir: folder });
    expect(await store.run('tasks.failUnfinished', { limit: 9, message: 'x' })).toHaveLength(1);
    await store.stop();
  });

  it('that was cut off is not served', async () => {
    const folder = join(root, 'cut');
    mkdirSync(folder);
    writeFileSync(join(folder, 'restored-from-backup'), 'half\n');
    await expect(checkRestored(folder, true)).rejects.toThrow('was cut off');
  });

  it('refuses a folder with anything in it, and leaves it alone', async () => {
    await expect(restore('first', 'data')).rejects.toThrow('is not empty');
    expect(existsSync(join(dataDir, 'gateway.db'))).toBe(true);
  });

  it.each<[string, (folder: string) => void]>([
    ['a changed image', (folder) => writeFileSync(join(folder, 'blobs', keys[0]!), 'other')],
    ['no database', (folder) => rmSync(join(folder, 'gateway.db'))],
    ['a changed manifest', (folder) => writeFileSync(join(folder, 'manifest.json'), '{}')],
    ['no checksums', (folder) => rmSync(join(folder, 'SHA256SUMS'))],
    [
      'a path out of the folder',
      (folder) => appendFileSync(join(folder, 'SHA256SUMS'), `${'0'.repeat(64)}  blobs/../../x\n`),
    ],
  ])('refuses a backup with %s, and leaves nothing behind', async (name, damage) => {
    await backUp(name);
    damage(join(root, name));
    await expect(restore(name, 'damaged')).rejects.toMatchObject({ code: 'config_invalid' });
    expect(existsSync(join(root, 'damaged')) ? readdirSync(join(root, 'damaged')) : []).toEqual([]);
  });
});
