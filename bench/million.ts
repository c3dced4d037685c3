// The hot operations with ten thousand and with a million finished tasks in the tables, in runs that alternate.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { silentLogger } from '../src/kernel/logger.ts';
import {
  acceptInput,
  claimOne,
  completion,
  makeAccount,
  NODE,
  outputOf,
  type TestStore,
} from '../src/storage/contract/fixtures.ts';
import { createPostgresStore } from '../src/storage/postgres/store.ts';
import { createSqliteStore } from '../src/storage/sqlite/store.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { median, quantile } from './load.ts';
import { type History, postgresHistory, sqliteHistory } from './million-rows.ts';
import { explainCalls, type Plans } from './plans.ts';

const FEW = 10_000;
const MANY = 1_000_000;
const WARM_UP = 20;
const nodeId = 'bench';
const leaseMs = 3_600_000;

export interface HotRow {
  engine: string;
  operation: string;
  p50Ms: { few: number; many: number };
  p99Ms: { few: number; many: number };
  /** Of the statement that reads most more; not a number on SQLite. */
  morePages: number;
}

interface Side {
  store: TestStore;
  owner: Owner;
}

type Owner = Awaited<ReturnType<typeof makeAccount>>;
type Times = Map<string, number[]>;

/** `write` gets the plans of PostgreSQL as text. */
export async function measureMillion(
  rounds: number,
  calls: number,
  write: (text: string) => Promise<void>,
  tasks = MANY,
): Promise<HotRow[]> {
  return [
    ...(await onSqlite(rounds, calls, tasks)),
    ...(await onPostgres(rounds, calls, tasks, write)),
  ];
}

async function onSqlite(rounds: number, calls: number, tasks: number): Promise<HotRow[]> {
  const folders: string[] = [];
  const open = async (count: number): Promise<Side> => {
    const dataDir = mkdtempSync(join(tmpdir(), 'runapi-bench-'));
    folders.push(dataDir);
    const empty = await createSqliteStore({ dataDir });
    const owner = await makeAccount(empty);
    await empty.stop();
    const db = new DatabaseSync(join(dataDir, 'gateway.db'));
    db.exec(
      'PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000; PRAGMA foreign_keys = OFF; BEGIN',
    );
    for (const sql of sqliteHistory(historyOf(count, owner))) db.exec(sql);
    db.exec('COMMIT');
    db.close();
    const store = await createSqliteStore({ dataDir });
    await store.run('nodes.start', { nodeId, leaseMs, ...NODE });
    return { store, owner };
  };
  const few = await open(FEW);
  const many = await open(tasks);
  const rows = await compare('SQLite', few, many, rounds, calls, new Map());
  for (const { store } of [few, many]) await store.stop();
  for (const folder of folders) rmSync(folder, { recursive: true });
  return rows;
}

async function onPostgres(
  rounds: number,
  calls: number,
  tasks: number,
  write: (text: string) => Promise<void>,
): Promise<HotRow[]> {
  const few = await startPostgres();
  const many = await startPostgres();
  const open = async (url: string, count: number): Promise<Side> => {
    const store = await createPostgresStore({ url, version: 'bench', log: silentLogger });
    const owner = await makeAccount(store);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    // Constraints hold by construction; checking each of eight million references takes minutes.
    await client.query("SET session_replication_role = 'replica'; SET synchronous_commit = off");
    for (const sql of postgresHistory(historyOf(count, owner))) await client.query(sql);
    await client.query('VACUUM ANALYZE');
    await client.query('CHECKPOINT');
    await client.end();
    await store.run('nodes.start', { nodeId, leaseMs, ...NODE });
    return { store, owner };
  };
  const sides = [await open(few.url, FEW), await open(many.url, tasks)] as const;
  const plans = {
    few: await explainCalls(few.url, (call) => cycle(callBy(call), sides[0].owner)),
    many: await explainCalls(many.url, (call) => cycle(callBy(call), sides[1].owner)),
  };
  await write(plans.many.text);
  const more = morePages(plans.few, plans.many);
  const rows = await compare('PostgreSQL', ...sides, rounds, calls, more);
  for (const { store } of sides) await store.stop();
  for (const server of [few, many]) await server.stop();
  return rows;
}

const historyOf = (tasks: number, owner: Owner): History => ({
  tasks,
  ...owner,
  nowMs: Date.now(),
});

async function compare(
  engine: string,
  few: Side,
  many: Side,
  rounds: number,
  calls: number,
  more: ReadonlyMap<string, number>,
): Promise<HotRow[]> {
  const found = { few: [] as Times[], many: [] as Times[] };
  for (let round = 0; round < rounds; round += 1) {
    found.few.push(await measureSide(few, calls));
    found.many.push(await measureSide(many, calls));
  }
  const pick = (side: 'few' | 'many', operation: string, q: number) =>
    median(found[side].map((times) => quantile(times.get(operation) ?? [], q)));
  const both = (operation: string, q: number) => ({
    few: pick('few', operation, q),
    many: pick('many', operation, q),
  });
  return [...(found.few[0]?.keys() ?? [])].map((operation) => ({
    engine,
    operation,
    p50Ms: both(operation, 0.5),
    p99Ms: both(operation, 0.99),
    morePages: more.get(operation) ?? Number.NaN,
  }));
}

async function measureSide({ store, owner }: Side, calls: number): Promise<Times> {
  const times: Times = new Map();
  let isTimed = false;
  const timed = {
    async run(name: string, input: object) {
      const startedAt = performance.now();
      const output = await store.run(name as 'tasks.get', input as never);
      const ms = performance.now() - startedAt;
      if (isTimed) times.set(name, [...(times.get(name) ?? []), ms]);
      return output;
    },
  } as unknown as TestStore;
  for (let index = 0; index < calls + WARM_UP; index += 1) {
    isTimed = index >= WARM_UP;
    await cycle(timed, owner);
  }
  return times;
}

/** One task's life, and what callers and the sweep ask meanwhile. */
async function cycle(store: TestStore, owner: Owner): Promise<void> {
  await store.run('nodes.renew', { nodeId, leaseMs });
  const key = `${Math.random()}`;
  await store.run('tasks.findReplay', { ...owner, isLive: true, key });
  await store.run('tasks.load', { lane: 'upstream', windowMs: 300_000 });
  const accept = acceptInput(owner, { idempotency: { key, fingerprint: 'f' } });
  await store.run('tasks.accept', accept);
  const { fence } = await claimOne(store, nodeId);
  await store.run('tasks.startAttempt', { ...fence, provider: 'p' });
  const output = outputOf(0);
  await store.run('tasks.recordOutput', { ...fence, attempt: 1, output, retentionMs: 600_000_000 });
  await store.run('tasks.complete', { ...fence, ...completion(accept) });
  const { taskId } = fence;
  await store.run('tasks.get', { taskId, accountId: owner.accountId });
  await store.run('tasks.events', { taskId, afterSeq: 0 });
  await store.run('outputs.find', { token: output.token });
  const { accountId } = owner;
  await store.run('tasks.list', { accountId, after: null, limit: 20, clientRequestId: null });
  await store.run('tasks.failLost', { lostMax: 3, limit: 256, message: 'x' });
  await store.run('tasks.expireOverdue', { graceMs: 5_000, limit: 256, message: 'x' });
  await store.run('outputs.expire', { limit: 256 });
  await store.run('inputs.erase', { afterMs: 700_000_000, limit: 256 });
}

const callBy = (call: (name: string, input: object) => Promise<unknown>) =>
  ({ run: call }) as unknown as TestStore;

/** By operation: the most that one of its statements reads beyond what it read with few tasks. */
function morePages(few: Plans, many: Plans): ReadonlyMap<string, number> {
  return new Map(
    [...many.pages].map(([operation, statements]) => {
      const before = few.pages.get(operation);
      const more = [...statements].map(([sql, pages]) => pages - (before?.get(sql) ?? pages));
      return [operation, Math.max(0, ...more)];
    }),
  );
}
