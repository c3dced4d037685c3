import { describe, expect, it } from 'vitest';
import { dropDatabase, makeDatabase, query } from '../../../test/support/postgres.ts';
import { silentLogger } from '../../kernel/logger.ts';
import {
  accept,
  acceptInput,
  claimAndRecord,
  claimOne,
  completion,
  LEASE_MS,
  makeAccount,
  NODE,
  startNode,
} from '../contract/fixtures.ts';
import { testMoney } from '../contract/money.suite.ts';
import { testStore } from '../contract/store.suite.ts';
import { openSchema } from './open.ts';
import { createPostgresStore, type PostgresStore } from './store.ts';

const open = (url: string) =>
  createPostgresStore({ url, version: '0.0.0-test', log: silentLogger });

const setup = async () => {
  const url = await makeDatabase();
  const store = await open(url);
  return {
    store,
    async teardown() {
      await store.stop();
      await dropDatabase(url);
    },
  };
};

testStore('PostgreSQL', setup);
testMoney('PostgreSQL', setup);

/** `work` on stores of one new database. */
async function onStores(
  count: number,
  work: (stores: PostgresStore[], url: string) => Promise<void>,
): Promise<void> {
  const url = await makeDatabase();
  // At once, as nodes of a fleet start.
  const stores = await Promise.all(Array.from({ length: count }, () => open(url)));
  try {
    await work(stores, url);
  } finally {
    await Promise.all(stores.map((store) => store.stop()));
    await dropDatabase(url);
  }
}

describe('PostgreSQL', () => {
  it('nodes that start at once on an empty database make one schema', async () => {
    await onStores(4, async (_stores, url) => {
      const [row] = await query(url, 'SELECT count(*)::int AS count FROM gateway.migrations');
      expect(row).toEqual({ count: 1 });
      expect(await openSchema(url, 'x', true)).toMatchObject({ missing: [], isNew: false });
    });
  });

  it('refuses a changed migration, and one that this version cannot live with', async () => {
    await onStores(1, async (_stores, url) => {
      const add = (runsWith: string) =>
        query(
          url,
          `INSERT INTO gateway.migrations VALUES ('9999_future.sql', 'x', '${runsWith}', '9.9.9')`,
        );
      await add('0001_init.sql');
      await expect(openSchema(url, 'x')).resolves.toMatchObject({ missing: [] });
      await query(url, "DELETE FROM gateway.migrations WHERE name = '9999_future.sql'");
      await add('9999_future.sql');
      await expect(openSchema(url, 'x')).rejects.toThrow(/Start version 9\.9\.9/);
      await query(url, "DELETE FROM gateway.migrations WHERE name = '9999_future.sql'");
      await query(url, "UPDATE gateway.migrations SET checksum = 'x'");
      await expect(openSchema(url, 'x')).rejects.toThrow(/differs/);
    });
  });

  it('three nodes that write to the same tasks in random order never lock each other up', async () => {
    await onStores(3, async (stores, url) => {
      const [first] = stores;
      if (!first) throw new Error('no store');
      const owners = await Promise.all(Array.from({ length: 50 }, () => makeAccount(first)));
      const accepted = await Promise.all(
        owners.flatMap((owner) => [1, 2, 3, 4].map(() => accept(first, acceptInput(owner)))),
      );
      const shuffled = <T>(list: readonly T[]) =>
        list
          .map((one) => [Math.random(), one] as const)
          .sort((a, b) => a[0] - b[0])
          .map(([, one]) => one);
      await Promise.all(
        stores.map(async (store) => {
          for (let round = 0; round < 5; round += 1) {
            const work = shuffled(accepted).map(({ task }) =>
              store.run('tasks.cancel', {
                taskId: task.id,
                accountId: task.accountId,
                message: 'x',
              }),
            );
            const keys = shuffled(owners).map((owner, index) =>
              store.run(
                'tasks.accept',
                acceptInput(owner, {
                  idempotency: { key: `k${round}-${index % 7}`, fingerprint: 'f' },
                }),
              ),
            );
            await Promise.all([...work, ...keys]);
          }
        }),
      );
      const name = new URL(url).pathname.slice(1);
      const [row] = await query(
        url,
        `SELECT deadlocks::int FROM pg_stat_database WHERE datname = '${name}'`,
      );
      expect(row).toEqual({ deadlocks: 0 });
      const doubled = await query(
        url,
        `SELECT task_id FROM gateway.events WHERE type = 'task.failed' GROUP BY task_id HAVING count(*) > 1`,
      );
      expect(doubled).toEqual([]);
    });
  });

  it('nodes share out the work: no task is claimed twice', async () => {
    await onStores(3, async (stores) => {
      const [first] = stores;
      if (!first) throw new Error('no store');
      const owner = await makeAccount(first);
      const input = () => accept(first, acceptInput(owner));
      await Promise.all(Array.from({ length: 300 }, input));
      const taken = await Promise.all(
        stores.map(async (store) => {
          const nodeId = await startNodeNow(store);
          const ids: string[] = [];
          for (;;) {
            const claimed = await store.run('tasks.claim', {
              nodeId,
              lane: 'upstream',
              limit: 7,
              lostMax: 3,
            });
            if (claimed.length === 0) return ids;
            ids.push(...claimed.map(({ task }) => task.id));
          }
        }),
      );
      expect(taken.flat()).toHaveLength(300);
      expect(new Set(taken.flat()).size).toBe(300);
    });
  });

  it('a committed change is heard by the other nodes, and not by its own', async () => {
    await onStores(2, async ([here, there]) => {
      if (!here || !there) throw new Error('no store');
      const owner = await makeAccount(here);
      const heard: string[] = [];
      const own: string[] = [];
      await new Promise((resolve) => setTimeout(resolve, 300));
      there.onChanges(({ taskIds, isNewWork }) => heard.push(`${String(taskIds)} ${isNewWork}`));
      here.onChanges(({ taskIds }) => own.push(String(taskIds)));
      const { task } = await accept(here, acceptInput(owner));
      await expect.poll(() => heard).toContain(`${task.id} true`);
      expect(own).toEqual([]);
    });
  });

  it('calls whose answer was lost are repeated and find what they did', async () => {
    await onStores(1, async ([store], url) => {
      if (!store) throw new Error('no store');
      const owner = await makeAccount(store);
      const nodeId = await startNode(store);
      // Cuts every connection again and again while the life of tasks goes on.
      let isOver = false;
      const cutting = (async () => {
        while (!isOver) {
          await query(
            url,
            'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()',
          );
          await new Promise((resolve) => setTimeout(resolve, 40));
        }
      })();
      const ids: string[] = [];
      for (let round = 0; round < 25; round += 1) {
        const { task } = await accept(store, acceptInput(owner));
        ids.push(task.id);
        const { claimed, fence } = await claimOne(store, nodeId);
        expect(claimed.task.id).toBe(task.id);
        const started = await store.run('tasks.startAttempt', { ...fence, provider: 'p' });
        expect(started).toEqual({ lost: false, number: 1 });
        if (round % 2) {
          const failure = { code: 'provider_error', message: 'x' } as const;
          expect(
            await store.run('tasks.fail', {
              ...fence,
              accountId: task.accountId,
              failure,
              warnings: [],
              provider: 'p',
            }),
          ).toMatchObject({ lost: false });
        } else {
          expect(
            await store.run('tasks.complete', { ...fence, ...completion(task), outputCount: 0 }),
          ).toMatchObject({ lost: false });
        }
      }
      isOver = true;
      await cutting;
      const rows = await query(
        url,
        `SELECT count(*)::int AS ends FROM gateway.events WHERE type IN ('task.completed', 'task.failed')`,
      );
      expect(rows).toEqual([{ ends: ids.length }]);
      const attempts = await query(url, 'SELECT count(*)::int AS count FROM gateway.attempts');
      expect(attempts).toEqual([{ count: ids.length }]);
    });
  }, 60_000);

  it('keeps a prompt that PostgreSQL cannot hold as near as it can', async () => {
    await onStores(1, async ([store]) => {
      if (!store) throw new Error('no store');
      const owner = await makeAccount(store);
      const prompt = 'a\0b \ud800 \\u0000 極光 😀';
      const { task } = await accept(
        store,
        acceptInput(owner, { input: { prompt, sources: [], mask: null } }),
      );
      const { claimed } = await claimAndRecord(store, await startNode(store));
      expect(claimed.task.id).toBe(task.id);
      expect(claimed.input.prompt).toBe('a\uFFFDb \uFFFD \\u0000 極光 😀');
    });
  });

  it('a call with a bug fails alone: its neighbours in the batch are kept', async () => {
    await onStores(1, async ([store]) => {
      if (!store) throw new Error('no store');
      const owner = await makeAccount(store);
      const good = acceptInput(owner);
      const [kept, refused] = await Promise.allSettled([
        store.run('tasks.accept', good),
        store.run('tasks.accept', acceptInput({ ...owner, accountId: 424_242 })),
      ]);
      expect([kept.status, refused.status]).toEqual(['fulfilled', 'rejected']);
      expect(await store.run('tasks.get', { taskId: good.id, accountId: null })).not.toBeNull();
    });
  });
});

/** Without moving the clock: other nodes live. */
async function startNodeNow(store: PostgresStore): Promise<string> {
  const nodeId = `node-${Math.random()}`;
  await store.run('nodes.start', { nodeId, leaseMs: LEASE_MS, ...NODE });
  return nodeId;
}
