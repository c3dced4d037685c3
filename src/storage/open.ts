// Opens the storage that the settings name. Only what is used is loaded.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayStore } from '../domain/operations.ts';
import { toError } from '../kernel/app-error.ts';
import type { BlobStore } from '../kernel/blob-store.ts';
import { makeToken } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import { type BackupOptions, makeBackup } from './backup/make.ts';
import { checkRestored, forgetRestore, restoreBackup } from './backup/restore.ts';
import { createDiskBlobStore } from './disk/blob-store.ts';
import type { PostgresStore } from './postgres/store.ts';
import type { S3Options } from './s3/blob-store.ts';
import { missingMigrations } from './sqlite/database.ts';
import { createSqliteStore } from './sqlite/store.ts';

export interface StorageSettings {
  /** Absolute. */
  data_dir: string;
  /** PostgreSQL; null: SQLite in the data folder. */
  database: { url: string; directUrl: string; poolMax: number } | null;
  /** Absent: images in the data folder. */
  s3?: S3Options | undefined;
}

/** On PostgreSQL it also carries news between nodes. */
export type OpenedStore = GatewayStore | PostgresStore;

export async function openStore(
  { database, data_dir: dataDir }: StorageSettings,
  version: string,
  log: Logger,
): Promise<OpenedStore> {
  if (database === null) return createSqliteStore({ dataDir, version });
  const { createPostgresStore } = await import('./postgres/store.ts');
  return createPostgresStore({ ...database, version, log });
}

export async function openBlobs(settings: StorageSettings): Promise<BlobStore> {
  return openBlobsAs(settings, settings.database !== null);
}

async function openBlobsAs(
  { s3, data_dir: dataDir }: StorageSettings,
  isShared: boolean,
): Promise<BlobStore> {
  if (s3 === undefined) return createDiskBlobStore({ dir: join(dataDir, 'blobs'), isShared });
  const { createS3BlobStore } = await import('./s3/blob-store.ts');
  return createS3BlobStore(s3);
}

/** For people, without credentials. */
export function describeBlobs({ s3, data_dir: dataDir }: StorageSettings): string {
  if (s3 === undefined) return join(dataDir, 'blobs');
  return `S3 bucket ${s3.bucket}, ${s3.prefix} at ${s3.endpoint ?? `Amazon, ${s3.region}`}`;
}

export function usesLocalDisk({ database, s3 }: StorageSettings): boolean {
  return database === null || s3 === undefined;
}

/** For people, without user and password. */
export function describeStore({ database, data_dir: dataDir }: StorageSettings): string {
  if (database === null) return `SQLite in ${dataDir}`;
  const { host, pathname } = new URL(database.url);
  return `PostgreSQL ${host}${pathname}`;
}

/** Applies missing migrations, or in a dry run only names them. */
export async function migrateStore(
  settings: StorageSettings,
  options: { version: string; isDryRun: boolean },
): Promise<{ store: string; missing: readonly string[] }> {
  const { database, data_dir: dataDir } = settings;
  const { version, isDryRun } = options;
  const store = describeStore(settings);
  if (database !== null) {
    const { openSchema } = await import('./postgres/open.ts');
    return { store, missing: (await openSchema(database.directUrl, version, isDryRun)).missing };
  }
  const missing = missingMigrations(dataDir);
  if (!isDryRun) await (await createSqliteStore({ dataDir, version })).stop();
  return { store, missing };
}

/** Writes, reads and deletes a blob, and looks at the database without changing it. */
export async function probeStorage(settings: StorageSettings, version: string) {
  return { blobs: await probeBlobs(settings), database: await probeDatabase(settings, version) };
}

async function probeBlobs(settings: StorageSettings) {
  const where = describeBlobs(settings);
  const key = `probe/${makeToken()}`;
  const startedAt = performance.now();
  try {
    // As one of several, so that a running gateway's unfinished files are left alone.
    const blobs = await openBlobsAs(settings, true);
    await blobs.put(key, Buffer.from(key));
    const read = await blobs.read(key);
    await blobs.delete(key);
    await blobs.stop?.();
    if (Buffer.from(read ?? []).toString() !== key)
      throw new Error('what was written came back different');
    return { where, ms: performance.now() - startedAt };
  } catch (error) {
    return { where, error: toError(error).message };
  }
}

async function probeDatabase(settings: StorageSettings, version: string) {
  const { database, data_dir: dataDir } = settings;
  const where = describeStore(settings);
  try {
    if (database === null)
      return { kind: 'sqlite', where, missing: missingMigrations(dataDir) } as const;
    const { probePostgres } = await import('./postgres/probe.ts');
    return { kind: 'postgres', where, ...(await probePostgres(database, version)) } as const;
  } catch (error) {
    return { kind: 'failed', error: toError(error).message } as const;
  }
}

/** Copies what lies in the data folder: on SQLite only. */
export function backUp(
  settings: StorageSettings & { secret: object | null },
  options: Pick<BackupOptions, 'to' | 'version' | 'startedAt' | 'onProgress'>,
): ReturnType<typeof makeBackup> {
  return makeBackup({
    ...options,
    dataDir: settings.data_dir,
    secretElsewhere: settings.secret === null ? null : 'RUNAPI_GATEWAY_SECRET',
    blobsElsewhere: settings.s3 === undefined ? null : describeBlobs(settings),
  });
}

export { checkRestored, forgetRestore, restoreBackup };

/** Whether there is anything to open without making it. */
export function hasData({ database, data_dir: dataDir }: StorageSettings): boolean {
  return database !== null || existsSync(join(dataDir, 'gateway.db'));
}
