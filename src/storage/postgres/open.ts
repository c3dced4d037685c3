// Brings a database to this version: tables by numbered migrations, then the functions of the operations in a schema
// of their own, named after their text. Nodes of two versions so run side by side, each with its own functions.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { AppError, toError } from '../../kernel/app-error.ts';
import { type Migration, planMigrations, readMigrations, toApplied } from '../migrations/plan.ts';

/** Any number that other programs on the same database are unlikely to use. */
const LOCK_ID = 7_269_118_001;
const MIGRATIONS = readMigrations(new URL('./migrations/', import.meta.url));

export interface SchemaChange {
  missing: readonly string[];
  /** The schema of this version's functions. */
  functions: string;
  isNew: boolean;
}

/** The functions' schema and their text. */
function readFunctions(): { schema: string; sql: string } {
  const folder = new URL('./operations/', import.meta.url);
  const checks = readFileSync(new URL('../rows/ledger-checks.sql', import.meta.url), 'utf8');
  const text = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .join('\n')
    .replace(':ledger_checks', () => checks);
  const schema = `gateway_ops_${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
  return { schema, sql: text.replace(/\bops\./g, `${schema}.`) };
}

/**
 * Migrates under a lock that other starting nodes wait for. `isDryRun` only says what would be done.
 * Throws AppError `config_invalid` (refused) or `storage_unavailable` (not reachable).
 */
export async function openSchema(
  url: string,
  version: string,
  isDryRun = false,
): Promise<SchemaChange> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    throw unreachable(error);
  }
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK_ID]);
    return await change(client, version, isDryRun);
  } finally {
    await client.end().catch(() => {});
  }
}

async function change(
  client: pg.Client,
  version: string,
  isDryRun: boolean,
): Promise<SchemaChange> {
  await requireVersion(client);
  const found = await client.query("SELECT to_regclass('gateway.migrations') IS NOT NULL AS found");
  const isNew = found.rows[0]?.found !== true;
  const rows = isNew ? [] : (await client.query('SELECT * FROM gateway.migrations')).rows;
  const plan = planMigrations(MIGRATIONS, rows.map(toApplied));
  if ('refusal' in plan) throw new AppError('config_invalid', plan.refusal);
  const { schema, sql } = readFunctions();
  const answer = { missing: plan.missing.map(({ name }) => name), functions: schema, isNew };
  if (isDryRun) return answer;
  if (isNew) await createMigrationsTable(client);
  for (const migration of plan.missing) await apply(client, migration, version);
  const installed = await client.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema]);
  if (installed.rowCount === 0) {
    await client.query(`BEGIN; CREATE SCHEMA ${schema}; ${sql}; COMMIT`);
  }
  return answer;
}

async function createMigrationsTable(client: pg.Client): Promise<void> {
  await client.query(`CREATE SCHEMA IF NOT EXISTS gateway;
    CREATE TABLE IF NOT EXISTS gateway.migrations (
      name text PRIMARY KEY, checksum text NOT NULL, runs_with text NOT NULL, version text NOT NULL)`);
}

async function apply(client: pg.Client, migration: Migration, version: string): Promise<void> {
  const { name, sql, checksum, runsWith } = migration;
  await client.query('BEGIN');
  await client.query(sql);
  await client.query(
    'INSERT INTO gateway.migrations (name, checksum, runs_with, version) VALUES ($1, $2, $3, $4)',
    [name, checksum, runsWith, version],
  );
  await client.query('COMMIT');
}

async function requireVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query('SHOW server_version_num');
  const number = Number(rows[0]?.server_version_num);
  if (number >= 150_000) return;
  throw new AppError(
    'config_invalid',
    `DATABASE_URL is a PostgreSQL ${Math.floor(number / 10_000)}; version 15 or newer is needed.`,
  );
}

function unreachable(error: unknown): AppError {
  const { message } = toError(error);
  return new AppError(
    'storage_unavailable',
    `The database of DATABASE_URL cannot be reached: ${message}`,
    { retryAfterSeconds: 5, detail: message },
  );
}
