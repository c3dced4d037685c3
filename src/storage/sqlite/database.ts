// Opens the one database of a data folder: lock, pragmas, migrations, clock. Runs inside the worker.
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { planMigrations, readMigrations, toApplied } from '../migrations/plan.ts';

export type Row = Record<string, unknown>;

/** Cached prepared statements over one connection. */
export interface Database {
  readonly raw: DatabaseSync;
  get(sql: string, values: Record<string, SQLInputValue>): Row | undefined;
  all(sql: string, values: Record<string, SQLInputValue>): Row[];
  /** Number of changed rows. */
  run(sql: string, values: Record<string, SQLInputValue>): number;
  now(): number;
  advanceClock(ms: number): void;
  close(): void;
}

export interface DatabaseOptions {
  dataDir: string;
  /** Of this program; kept with the migrations it applies. */
  version?: string;
  /** For tests of a full disk; pages of 4,096 bytes. */
  pagesMax?: number;
}

const MIGRATIONS = readMigrations(new URL('./migrations/', import.meta.url));

export const LOCK_HELD = 'data_dir_in_use';
export const SCHEMA_REFUSED = 'config_invalid';

export class StartError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export function openDatabase(options: DatabaseOptions): Database {
  const dataDir = resolve(options.dataDir);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = takeLock(dataDir);
  const path = join(dataDir, 'gateway.db');
  const raw = new DatabaseSync(path);
  chmodSync(path, 0o600);
  raw.exec('PRAGMA journal_mode = WAL');
  // NORMAL, the compiled default in WAL, loses acknowledged rows in a power cut.
  raw.exec('PRAGMA synchronous = FULL');
  raw.exec('PRAGMA busy_timeout = 5000');
  raw.exec('PRAGMA foreign_keys = ON');
  if (options.pagesMax !== undefined) raw.exec(`PRAGMA max_page_count = ${options.pagesMax}`);
  migrate(raw, path, options.version ?? 'unknown');
  return wrap(raw, lock);
}

/** Held for the life of the process; a crash releases it, a pid file would not. */
function takeLock(dataDir: string): DatabaseSync {
  const path = join(dataDir, 'gateway.lock');
  const lock = new DatabaseSync(path);
  chmodSync(path, 0o600);
  try {
    lock.exec('PRAGMA busy_timeout = 0');
    lock.exec('PRAGMA locking_mode = EXCLUSIVE');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch {
    lock.close();
    throw new StartError(
      LOCK_HELD,
      `Another gateway process uses the data folder ${dataDir}. Stop it, or set RUNAPI_GATEWAY_DATA_DIR to another folder.`,
    );
  }
}

/** Without changing anything; all of them where there is no database yet. Throws what `serve` would refuse with. */
export function missingMigrations(dataDir: string): readonly string[] {
  const path = join(dataDir, 'gateway.db');
  if (!existsSync(path)) return MIGRATIONS.map(({ name }) => name);
  const raw = new DatabaseSync(path, { readOnly: true });
  try {
    const plan = planMigrations(
      MIGRATIONS,
      raw.prepare('SELECT * FROM migrations').all().map(toApplied),
    );
    if ('refusal' in plan) throw new StartError(SCHEMA_REFUSED, plan.refusal);
    return plan.missing.map(({ name }) => name);
  } finally {
    raw.close();
  }
}

/** Applies the numbered files that are missing, after a copy of what is there; refuses what does not fit. */
function migrate(raw: DatabaseSync, path: string, version: string): void {
  raw.exec(`CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, checksum TEXT NOT NULL,
    runs_with TEXT NOT NULL, version TEXT NOT NULL) STRICT`);
  const applied = raw.prepare('SELECT * FROM migrations').all().map(toApplied);
  const plan = planMigrations(MIGRATIONS, applied);
  if ('refusal' in plan) throw new StartError(SCHEMA_REFUSED, plan.refusal);
  const [first] = plan.missing;
  if (first && applied.length > 0) {
    const copy = `${path}.before-${first.name.replace('.sql', '')}`;
    if (!existsSync(copy)) raw.prepare('VACUUM INTO ?').run(copy);
  }
  for (const { name, sql, checksum, runsWith } of plan.missing) {
    raw.exec(`BEGIN IMMEDIATE; ${sql}`);
    raw
      .prepare('INSERT INTO migrations (name, checksum, runs_with, version) VALUES (?, ?, ?, ?)')
      .run(name, checksum, runsWith, version);
    raw.exec('COMMIT');
  }
}

function wrap(raw: DatabaseSync, lock: DatabaseSync): Database {
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    let statement = statements.get(sql);
    if (!statement) {
      statement = raw.prepare(sql);
      statements.set(sql, statement);
    }
    return statement;
  };
  const newest = raw.prepare('SELECT created_at AS at FROM events ORDER BY seq DESC LIMIT 1').get();
  // Anchored once, and never before what is stored: a clock set back must not reorder rows.
  let anchor = Math.max(Date.now(), Number(newest?.['at'] ?? 0)) - performance.now();
  return {
    raw,
    get: (sql, values) => prepare(sql).get(values),
    all: (sql, values) => prepare(sql).all(values),
    run: (sql, values) => Number(prepare(sql).run(values).changes),
    now: () => Math.floor(anchor + performance.now()),
    advanceClock(ms) {
      anchor += ms;
    },
    close() {
      raw.exec('PRAGMA wal_checkpoint(TRUNCATE)');
      raw.close();
      lock.close();
    },
  };
}
