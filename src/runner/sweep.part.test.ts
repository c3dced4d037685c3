import { mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { DomainContext } from '../domain/context.ts';
import { silentLogger } from '../kernel/logger.ts';
import {
  acceptInput,
  claimAndRecord,
  completion,
  makeAccount,
  startNode,
} from '../storage/contract/fixtures.ts';
import { createDiskBlobStore } from '../storage/disk/blob-store.ts';
import { createSqliteStore, type SqliteStore } from '../storage/sqlite/store.ts';
import { deleteExpired, deleteUnnamed } from './sweep.ts';

let dir: string;
let store: SqliteStore;
let ctx: DomainContext;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'runapi-sweep-'));
  store = await createSqliteStore({ dataDir: dir });
  const blobs = await createDiskBlobStore({ dir: join(dir, 'blobs'), isShared: false });
  const clock = { now: () => Date.now(), monotonic: () => 0 };
  ctx = { store, blobs, clock, log: silentLogger } as unknown as DomainContext;
});

afterEach(async () => {
  await store.stop();
  rmSync(dir, { recursive: true });
});

async function completeOne(): Promise<string> {
  await store.run('tasks.accept', acceptInput(await makeAccount(store)));
  const { claimed, fence } = await claimAndRecord(store, await startNode(store));
  const done = await store.run('tasks.complete', { ...fence, ...completion(claimed.task) });
  const key = done.lost ? '' : (done.task.outputs[0]?.blobKey ?? '');
  await ctx.blobs.put(key, Buffer.from('x'));
  return key;
}

const age = (key: string, hours: number) => {
  const at = Date.now() / 1000 - hours * 3600;
  utimesSync(join(dir, 'blobs', ...key.split('/')), at, at);
};

it('a blob that no row has named for a day is deleted, all others stay', async () => {
  const named = await completeOne();
  await ctx.blobs.put('outputs/orphan-old', Buffer.from('x'));
  await ctx.blobs.put('outputs/orphan-young', Buffer.from('x'));
  await ctx.blobs.put('sources/orphan-old', Buffer.from('x'));
  for (const key of [named, 'outputs/orphan-old', 'sources/orphan-old']) age(key, 25);
  await deleteUnnamed(ctx);
  expect(await ctx.blobs.read(named)).not.toBeNull();
  expect(await ctx.blobs.read('outputs/orphan-young')).not.toBeNull();
  expect(await ctx.blobs.read('outputs/orphan-old')).toBeNull();
  expect(await ctx.blobs.read('sources/orphan-old')).toBeNull();
});

it('expired outputs and old previews are deleted, kept ones stay', async () => {
  const key = await completeOne();
  await ctx.blobs.put('partials/old.png', Buffer.from('x'));
  await ctx.blobs.put('partials/young.png', Buffer.from('x'));
  age('partials/old.png', 1);
  await deleteExpired(ctx);
  expect(await ctx.blobs.read(key)).not.toBeNull();
  expect(await ctx.blobs.read('partials/old.png')).toBeNull();
  expect(await ctx.blobs.read('partials/young.png')).not.toBeNull();
  store.advanceClock(2_000_000);
  await deleteExpired(ctx);
  expect(await ctx.blobs.read(key)).toBeNull();
});
