import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, it, onTestFinished } from 'vitest';
import type { ProviderJob } from '../providers/provider.ts';
import { createDiskBlobStore } from '../storage/disk/blob-store.ts';
import { deliverOutput } from './deliver-output.ts';
import type { TaskRun } from './run.ts';

it('a picture that came first is stored before the many that came with it are worked on', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'runapi-deliver-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const disk = await createDiskBlobStore({ dir, isShared: false });
  let begun = 0;
  let begunAtFirstRecord: number | null = null;
  const ctx = {
    settings: { outputRetentionMs: 1_000 },
    blobs: {
      put(key: string, bytes: Uint8Array) {
        begun += 1;
        return disk.put(key, bytes);
      },
    },
    store: {
      async run() {
        begunAtFirstRecord ??= begun;
        return { lost: false };
      },
    },
  };
  const makeRun = (id: number) =>
    ({
      deps: { ctx, lease: { isFenced: () => false } },
      task: { id: `task-${id}`, outputCount: 1 },
      fence: { taskId: `task-${id}`, nodeId: 'n', claim: 1 },
      recorded: new Map(),
      stop: new AbortController(),
    }) as unknown as TaskRun;
  const job = { attempt: 1, size: { width: 256, height: 256 }, format: 'png' } as ProviderJob;
  const create = { width: 64, height: 64, channels: 3, background: '#80a0c0' } as const;
  const bytes = await sharp({ create }).png().toBuffer();
  const runs = Array.from({ length: 100 }, (_, id) => makeRun(id));
  await Promise.all(runs.map((run) => deliverOutput(run, job, 0, { bytes })));
  expect(begun).toBe(100);
  expect(begunAtFirstRecord).toBeLessThan(25);
});
