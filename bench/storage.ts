// The stores themselves: durable accepts, claims and reads per second, on SQLite, and on PostgreSQL from one and from
// three nodes. The bare row is the same inserts without guards, one statement each, 256 tasks to a transaction: what a
// driver that waits for every statement gets.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { silentLogger } from '../src/kernel/logger.ts';
import {
  accept,
  acceptInput,
  makeAccount,
  NODE,
  type TestStore,
} from '../src/storage/contract/fixtures.ts';
import { createPostgresStore } from '../src/storage/postgres/store.ts';
import { createSqliteStore } from '../src/storage/sqlite/store.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { median } from './load.ts';

const CALLERS = 256;
const BATCH = 256;

export interface StorageRow {
  name: string;
  acceptsPerSecond: number;
  claimsPerSecond: number;
  getsPerSecond: number;
}

type Rates = Omit<StorageRow, 'name'>;

export async function measureStorage(rounds: number, calls: number): Promise<StorageRow[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'runapi-bench-'));
  const postgres = await startPostgres();
  const open = () =>
    createPostgresStore({ url: postgres.url, version: 'bench', log: silentLogger });
  const sqlite = await createSqliteStore({ dataDir });
  const nodes = [await open(), await open(), await open()];
  const bare = new pg.Pool({ connectionString: postgres.url, max: 1 });
  const cells: { name: string; run: () => Promise<Rates> }[] = [
    { name: 'SQLite', run: () => measure([sqlite], calls) },
    { name: 'PostgreSQL, 1 node', run: () => measure(nodes.slice(0, 1), calls) },
    { name: 'PostgreSQL, 3 nodes', run: () => measure(nodes, calls) },
    {
      name: 'PostgreSQL, bare inserts',
      run: () => measureBare(bare, nodes[0] as TestStore, calls),
    },
  ];
  const results = new Map<string, Rates[]>(cells.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, run } of cells) results.get(name)?.push(await run());
  }
  await bare.end();
  for (const store of [sqlite, ...nodes]) await store.stop();
  await postgres.stop();
  rmSync(dataDir, { recursive: true });
  const pick = (list: readonly Rates[], key: keyof Rates) =>
    median(list.map((rates) => rates[key]));
  return [...results].map(([name, list]) => ({
    name,
    acceptsPerSecond: pick(list, 'acceptsPerSecond'),
    claimsPerSecond: pick(list, 'claimsPerSecond'),
    getsPerSecond: pick(list, 'getsPerSecond'),
  }));
}

async function measure(stores: readonly TestStore[], calls: number): Promise<Rates> {
  const [first] = stores;
  if (!first) throw new Error('no store');
  const owner = await makeAccount(first);
  const ids: string[] = [];
  const acceptsPerSecond = await rate(stores, calls, async (store) => {
    const input = acceptInput(owner, {
      idempotency: { key: `${Math.random()}`, fingerprint: 'f' },
    });
    ids.push((await accept(store, input)).task.id);
  });
  const getsPerSecond = await rate(stores, calls, (store, index) =>
    store.run('tasks.get', { taskId: ids[index % ids.length] ?? '', accountId: owner.accountId }),
  );
  const startedAt = performance.now();
  const claimed = await Promise.all(stores.map(claimAll));
  const seconds = (performance.now() - startedAt) / 1_000;
  return {
    acceptsPerSecond,
    getsPerSecond,
    claimsPerSecond: claimed.reduce((sum, count) => sum + count, 0) / seconds,
  };
}

async function claimAll(store: TestStore): Promise<number> {
  const nodeId = `bench-${Math.random()}`;
  await store.run('nodes.start', { nodeId, leaseMs: 60_000, ...NODE });
  for (let count = 0; ; ) {
    const input = { nodeId, lane: 'upstream', limit: 256, lostMax: 3 } as const;
    const claimed = await store.run('tasks.claim', input);
    if (claimed.length === 0) return count;
    count += claimed.length;
  }
}

async function rate(
  stores: readonly TestStore[],
  calls: number,
  call: (store: TestStore, index: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: CALLERS }, async (_, lane) => {
      const store = stores[lane % stores.length] as TestStore;
      for (let index = next++; index < calls; index = next++) await call(store, index);
    }),
  );
  return calls / ((performance.now() - startedAt) / 1_000);
}

/** The inserts of an accept, prepared, 256 tasks to a transaction. */
async function measureBare(pool: pg.Pool, store: TestStore, calls: number): Promise<Rates> {
  const owner = await makeAccount(store);
  const client = await pool.connect();
  const startedAt = performance.now();
  for (let done = 0; done < calls; done += BATCH) {
    await client.query('BEGIN');
    for (let index = 0; index < BATCH; index += 1) await insertBare(client, owner);
    await client.query('COMMIT');
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  // They never run: what is measured of claims elsewhere must not find them.
  await client.query("UPDATE gateway.tasks SET lane = 'built_in' WHERE model = 'bare'");
  client.release();
  const perSecond = (Math.ceil(calls / BATCH) * BATCH) / seconds;
  return { acceptsPerSecond: perSecond, claimsPerSecond: Number.NaN, getsPerSecond: Number.NaN };
}

async function insertBare(
  client: pg.PoolClient,
  owner: { accountId: number; keyId: string },
): Promise<void> {
  const input = acceptInput(owner);
  const now = Date.now();
  const texts = [input.params, input.interpretation, input.warnings, input.quote].map((part) =>
    JSON.stringify(part),
  );
  const inserts = [
    {
      name: 'bare-idempotency',
      text: 'INSERT INTO gateway.idempotency VALUES ($1, true, $2, $3, $4)',
      values: [owner.accountId, `${Math.random()}`, 'f', input.id],
    },
    {
      name: 'bare-task',
      text: `INSERT INTO gateway.tasks (id, account_id, key_id, is_live, lane, service, action, model, model_as_sent, status,
        params, output_count, interpretation, warnings, quote, created_at, deadline_at)
        VALUES ($1, $2, $3, true, 'upstream', 's', 'a', 'bare', 'm', 'pending', $4, 1, $5, $6, $7, $8, $8) RETURNING *`,
      values: [input.id, owner.accountId, owner.keyId, ...texts, now],
    },
    {
      name: 'bare-input',
      text: "INSERT INTO gateway.task_inputs VALUES ($1, 'x', '[]', NULL)",
      values: [input.id],
    },
    {
      name: 'bare-event',
      text: "INSERT INTO gateway.events (task_id, type, created_at) VALUES ($1, 'task.pending', $2)",
      values: [input.id, now],
    },
  ];
  for (const insert of inserts) await client.query(insert);
}
