import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppError } from '../../kernel/app-error.ts';
import {
  accept,
  acceptInput,
  claimAndRecord,
  claimOne,
  completion,
  makeAccount,
  startNode,
  type TestStore,
} from '../contract/fixtures.ts';
import { testMoney } from '../contract/money.suite.ts';
import { testStore } from '../contract/store.suite.ts';
import { createSqliteStore } from './store.ts';

const folder = () => mkdtempSync(join(tmpdir(), 'runapi-sqlite-'));

const setup = async () => {
  const dataDir = folder();
  const store = await createSqliteStore({ dataDir });
  return {
    store,
    async teardown() {
      await store.stop();
      rmSync(dataDir, { recursive: true });
    },
  };
};

testStore('SQLite', setup);
testMoney('SQLite', setup);

describe('SQLite', () => {
  it('groups the commits of concurrent operations', async () => {
    const dataDir = folder();
    const store = await createSqliteStore({ dataDir });
    const owner = await makeAccount(store);
    const before = store.stats().batches;
    await Promise.all(
      Array.from({ length: 400 }, () => store.run('tasks.accept', acceptInput(owner))),
    );
    expect(store.stats().batches - before).toBeLessThan(40);
    await store.stop();
    rmSync(dataDir, { recursive: true });
  });

  it('refuses a second opener of the folder, and lets it in once the first has stopped', async () => {
    const dataDir = folder();
    const first = await createSqliteStore({ dataDir });
    const refused = await createSqliteStore({ dataDir }).catch((error: unknown) => error);
    expect(isAppError(refused) && refused.code).toBe('data_dir_in_use');
    expect(String(refused)).toContain(dataDir);
    await first.stop();
    await (await createSqliteStore({ dataDir })).stop();
    rmSync(dataDir, { recursive: true });
  });

  it('refuses a changed migration and one that it does not know', async () => {
    for (const sql of [
      "UPDATE migrations SET checksum = 'x'",
      "INSERT INTO migrations VALUES ('9999_future.sql', 'x', '9999_future.sql', '9.9.9')",
    ]) {
      const dataDir = folder();
      await (await createSqliteStore({ dataDir })).stop();
      const db = new DatabaseSync(join(dataDir, 'gateway.db'));
      db.exec(sql);
      db.close();
      await expect(createSqliteStore({ dataDir })).rejects.toThrow(/migration/);
      rmSync(dataDir, { recursive: true });
    }
  });

  it('a full disk acknowledges nothing that it did not keep', async () => {
    const dataDir = folder();
    const store = await createSqliteStore({ dataDir, pagesMax: 120 });
    const owner = await makeAccount(store);
    const kept: string[] = [];
    let refused = 0;
    for (let i = 0; i < 40; i += 1) {
      const inputs = Array.from({ length: 20 }, () => acceptInput(owner));
      const results = await Promise.allSettled(
        inputs.map((input) => store.run('tasks.accept', input)),
      );
      for (const [at, result] of results.entries()) {
        if (result.status === 'fulfilled') kept.push(inputs[at]!.id);
        else if (isAppError(result.reason)) refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(0);
    expect(kept.length).toBeGreaterThan(0);
    await store.stop();
    const again = await createSqliteStore({ dataDir });
    for (const taskId of kept) {
      expect(await again.run('tasks.get', { taskId, accountId: owner.accountId })).not.toBeNull();
    }
    const load = await again.run('tasks.load', { lane: 'upstream', windowMs: 1 });
    expect(load.pending).toBe(kept.length);
    await again.stop();
    rmSync(dataDir, { recursive: true });
  });

  it('an operation with a bug fails alone: its neighbours in the batch are kept', async () => {
    const dataDir = folder();
    const store = await createSqliteStore({ dataDir });
    const owner = await makeAccount(store);
    const good = acceptInput(owner);
    const bad = acceptInput({ ...owner, accountId: 424_242 });
    const [kept, refused] = await Promise.allSettled([
      store.run('tasks.accept', good),
      store.run('tasks.accept', bad),
    ]);
    expect(kept.status).toBe('fulfilled');
    expect(refused.status).toBe('rejected');
    expect(await store.run('tasks.get', { taskId: good.id, accountId: null })).not.toBeNull();
    await store.stop();
    rmSync(dataDir, { recursive: true });
  });

  it('kill -9 loses no acknowledged accept', { timeout: 60_000 }, async () => {
    const dataDir = folder();
    const script = join(dataDir, 'writer.mts');
    const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
    writeFileSync(
      script,
      `import { writeSync } from 'node:fs';
       const { createSqliteStore } = await import(${url('./store.ts')});
       const { acceptInput, makeAccount } = await import(${url('../contract/fixtures.ts')});
       const store = await createSqliteStore({ dataDir: process.argv[2] });
       const owner = await makeAccount(store);
       setTimeout(() => process.kill(process.pid, 'SIGKILL'), Number(process.argv[3]));
       const one = async () => {
         for (;;) {
           const input = acceptInput(owner);
           await store.run('tasks.accept', input);
           writeSync(1, input.id + '\\n');
         }
       };
       await Promise.all(Array.from({ length: 16 }, one));`,
    );
    for (let round = 0; round < 5; round += 1) {
      let out = '';
      try {
        const options = { encoding: 'utf8', maxBuffer: 2 ** 26 } as const;
        execFileSync(process.execPath, [script, dataDir, String(100 + round * 60)], options);
      } catch (error) {
        out = String((error as { stdout?: string }).stdout);
      }
      const ids = out.split('\n').filter((id) => id.length === 36);
      expect(ids.length).toBeGreaterThan(0);
      const store = await createSqliteStore({ dataDir });
      const found = await Promise.all(
        ids.map((taskId) => store.run('tasks.get', { taskId, accountId: null })),
      );
      expect(found.filter((task) => task === null)).toEqual([]);
      await store.stop();
    }
    rmSync(dataDir, { recursive: true });
  });
});

type Step =
  | 'accept'
  | 'claim'
  | 'record'
  | 'complete'
  | 'fail'
  | 'cancel'
  | 'die'
  | 'later'
  | 'sweep';
const STEPS: readonly Step[] = [
  'accept',
  'claim',
  'record',
  'complete',
  'fail',
  'cancel',
  'die',
  'later',
  'sweep',
];

describe('any interleaving of what can happen to tasks', () => {
  it('ends each task at most once, and never changes an ended one', {
    timeout: 60_000,
  }, async () => {
    const dataDir = folder();
    const store = await createSqliteStore({ dataDir });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...STEPS), { maxLength: 40 }), async (steps) => {
        await checkSteps(store, steps);
      }),
      { numRuns: 60 },
    );
    await store.stop();
    rmSync(dataDir, { recursive: true });
  });
});

async function checkSteps(store: TestStore, steps: readonly Step[]): Promise<void> {
  const owner = await makeAccount(store);
  const { accountId } = owner;
  let nodeId = await startNode(store);
  const ids: string[] = [];
  const held: Awaited<ReturnType<typeof claimOne>>[] = [];
  const ends = new Map<string, string>();
  for (const step of steps) {
    const last = held.at(-1);
    if (step === 'accept') {
      ids.push((await accept(store, acceptInput(owner))).task.id);
    } else if (step === 'claim') {
      await claimOne(store, nodeId).then(
        (one) => held.push(one),
        () => {},
      );
    } else if (step === 'record') {
      await claimAndRecord(store, nodeId).then(
        (one) => held.push(one),
        () => {},
      );
    } else if (step === 'die') {
      nodeId = await startNode(store);
    } else if (step === 'later') {
      store.advanceClock(200_000);
      nodeId = await startNode(store);
    } else if (step === 'sweep') {
      await store.run('tasks.expireOverdue', { graceMs: 0, limit: 99, message: 'late' });
      await store.run('tasks.failLost', { lostMax: 3, limit: 99, message: 'lost' });
    } else if (step === 'cancel' && ids.length > 0) {
      await store.run('tasks.cancel', { taskId: ids.at(-1)!, accountId, message: 'x' });
    } else if (step === 'complete' && last) {
      await store.run('tasks.complete', { ...last.fence, ...completion(last.claimed.task) });
    } else if (step === 'fail' && last) {
      const failure = { code: 'provider_error', message: 'x' } as const;
      await store.run('tasks.fail', {
        ...last.fence,
        accountId,
        failure,
        warnings: [],
        provider: null,
      });
    }
    for (const taskId of ids) {
      const task = await store.run('tasks.get', { taskId, accountId });
      const state = JSON.stringify(task && { ...task, outputsExpiredAt: null });
      const earlier = ends.get(taskId);
      if (earlier !== undefined) expect(state).toBe(earlier);
      if (task?.finishedAt != null) ends.set(taskId, state);
      const events = await store.run('tasks.events', { taskId, afterSeq: 0 });
      const ended = events.filter(({ type }) => /completed|failed/.test(type));
      expect(ended).toHaveLength(task?.finishedAt == null ? 0 : 1);
    }
  }
  store.advanceClock(1_000_000);
  await store.run('tasks.expireOverdue', { graceMs: 0, limit: 999, message: 'late' });
}
