// Makes a backup beside the running gateway. The database first, then the blobs its rows name: blobs are written once
// and under fresh keys, so a later copy of one is the same. Only retention can delete one in between.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder, writeSynced } from '../../kernel/durable-file.ts';
import { copyDatabase } from '../sqlite/snapshot.ts';
import {
  BLOBS,
  copyHashed,
  DATABASE,
  type Entry,
  hashFile,
  invalid,
  MANIFEST,
  type Manifest,
  SECRET,
  SUMS,
  writeEntries,
} from './format.ts';

const LANES = 8;

export interface BackupOptions {
  dataDir: string;
  /** The folder to make. */
  to: string;
  version: string;
  startedAt: number;
  /** Null: the secret is in the data folder. */
  secretElsewhere: 'RUNAPI_GATEWAY_SECRET' | null;
  /** Null: the blobs are in the data folder. */
  blobsElsewhere: string | null;
  onProgress(fraction: number, label: string): void;
}

/** Appears under its name only when it is whole and on disk. Throws AppError `config_invalid` when that exists. */
export async function makeBackup(options: BackupOptions): Promise<Manifest> {
  const { dataDir, to } = options;
  if (existsSync(to)) throw invalid(`${to} exists already. Name a folder that does not.`);
  if (!existsSync(join(dataDir, DATABASE))) {
    throw invalid(
      `There is no gateway data in ${dataDir}. Set RUNAPI_GATEWAY_DATA_DIR to the folder of your gateway.`,
    );
  }
  const part = `${to}.part`;
  await mkdir(part, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
    throw invalid(
      `${part} exists: another backup is at work or was cut off. Delete it if none is.`,
    );
  });
  try {
    const manifest = await fill(part, options);
    await rename(part, to);
    await syncFolder(dirname(to));
    return manifest;
  } catch (error) {
    await rm(part, { recursive: true, force: true });
    throw error;
  }
}

async function fill(part: string, options: BackupOptions): Promise<Manifest> {
  const { dataDir, onProgress } = options;
  onProgress(0, 'database');
  const snapshot = copyDatabase(dataDir, join(part, DATABASE));
  const entries: Entry[] = [{ path: DATABASE, sha256: await hashFile(join(part, DATABASE)) }];
  if (options.secretElsewhere === null) {
    const copied = await copyHashed(join(dataDir, SECRET), join(part, SECRET));
    if (copied === null)
      throw invalid(`${join(dataDir, SECRET)} is missing: without it no key works.`);
    entries.push({ path: SECRET, sha256: copied.sha256 });
  }
  const isWithBlobs = options.blobsElsewhere === null;
  const blobs = isWithBlobs ? await copyBlobs(part, snapshot.blobKeys, options) : null;
  entries.push(...(blobs?.entries ?? []));
  const manifest: Manifest = {
    format: 1,
    version: options.version,
    started_at: new Date(options.startedAt).toISOString(),
    tasks: snapshot.tasks,
    unfinished: snapshot.unfinished,
    files: entries.length,
    secret: options.secretElsewhere ?? 'included',
    blobs: options.blobsElsewhere ?? 'included',
    missing: blobs?.missing ?? [],
  };
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await writeSynced(join(part, MANIFEST), text);
  entries.unshift({ path: MANIFEST, sha256: createHash('sha256').update(text).digest('hex') });
  await writeSynced(join(part, SUMS), writeEntries(entries));
  await syncFolder(part);
  return manifest;
}

async function copyBlobs(
  part: string,
  keys: readonly string[],
  { dataDir, onProgress }: BackupOptions,
): Promise<{ entries: Entry[]; missing: string[] }> {
  const entries: Entry[] = [];
  const missing: string[] = [];
  const folders = new Set<string>([join(part, BLOBS)]);
  const waiting = keys.values();
  let done = 0;
  const lane = async () => {
    for (const key of waiting) {
      const path = `${BLOBS}/${key}`;
      const to = join(part, path);
      await mkdir(dirname(to), { recursive: true, mode: 0o700 });
      for (let folder = dirname(to); folder !== part; folder = dirname(folder)) folders.add(folder);
      const copied = await copyHashed(join(dataDir, path), to);
      if (copied === null) missing.push(key);
      else entries.push({ path, sha256: copied.sha256 });
      done += 1;
      onProgress(done / keys.length, `${done} of ${keys.length} images`);
    }
  };
  await mkdir(join(part, BLOBS), { mode: 0o700 });
  await Promise.all(Array.from({ length: LANES }, lane));
  for (const folder of folders) await syncFolder(folder);
  return { entries, missing };
}
