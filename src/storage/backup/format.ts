// What a backup looks like: a folder of plain files that `sha256sum -c SHA256SUMS` can check.
import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../kernel/app-error.ts';
import { isBlobKey } from '../../kernel/blob-store.ts';

export const DATABASE = 'gateway.db';
export const SECRET = 'secret';
export const MANIFEST = 'manifest.json';
export const SUMS = 'SHA256SUMS';
export const BLOBS = 'blobs';
const FORMAT = 1;

export interface Manifest {
  format: typeof FORMAT;
  /** Of the gateway that made it. */
  version: string;
  /** Every task accepted before this moment is in it. */
  started_at: string;
  tasks: number;
  /** Of them, those that waited or ran. */
  unfinished: number;
  /** Listed in SHA256SUMS. */
  files: number;
  /** Where the secret is: here, or wherever RUNAPI_GATEWAY_SECRET comes from. */
  secret: 'included' | 'RUNAPI_GATEWAY_SECRET';
  /** `included`, or the place where the images are. */
  blobs: string;
  /** Blobs that rows name and that were gone when their turn came. */
  missing: readonly string[];
}

export interface Entry {
  /** With `/`, inside the backup. */
  path: string;
  sha256: string;
}

/** Throws AppError `config_invalid` when the folder is no whole backup. */
export async function readBackup(
  folder: string,
): Promise<{ manifest: Manifest; entries: readonly Entry[] }> {
  const read = async (name: string) => {
    try {
      return await readFile(join(folder, name), 'utf8');
    } catch {
      throw invalid(`${folder} is no backup: it has no readable ${name}.`);
    }
  };
  const text = await read(MANIFEST);
  const entries = (await read(SUMS)).split('\n').filter(Boolean).map(parseEntry);
  const own = entries.find(({ path }) => path === MANIFEST);
  const sha256 = createHash('sha256').update(text).digest('hex');
  if (own?.sha256 !== sha256) throw invalid(`${MANIFEST} of ${folder} does not fit its checksum.`);
  const manifest = JSON.parse(text) as Manifest;
  if (manifest.format !== FORMAT) {
    throw invalid(
      `${folder} has format ${manifest.format}; this version reads ${FORMAT}. Restore it with version ${manifest.version} of the gateway.`,
    );
  }
  const rest = entries.filter((entry) => entry !== own);
  if (rest.length !== manifest.files) {
    throw invalid(`${SUMS} of ${folder} lists ${rest.length} files, not ${manifest.files}.`);
  }
  return { manifest, entries: rest };
}

function parseEntry(line: string): Entry {
  const [, sha256, path] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
  if (sha256 === undefined || path === undefined || !isOurs(path)) {
    throw invalid(`${SUMS} has a line that no backup has: ${line.slice(0, 200)}`);
  }
  return { sha256, path };
}

function isOurs(path: string): boolean {
  if ([DATABASE, SECRET, MANIFEST].includes(path)) return true;
  return path.startsWith(`${BLOBS}/`) && isBlobKey(path.slice(BLOBS.length + 1));
}

export function writeEntries(entries: readonly Entry[]): string {
  return entries.map(({ sha256, path }) => `${sha256}  ${path}\n`).join('');
}

/** Copies a file, durably; null when there is none. */
export async function copyHashed(
  from: string,
  to: string,
): Promise<{ sizeBytes: number; sha256: string } | null> {
  const source = await open(from, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (source === null) return null;
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const target = await open(to, 'wx', 0o600);
  try {
    for await (const chunk of source.createReadStream() as AsyncIterable<Buffer>) {
      hash.update(chunk);
      sizeBytes += chunk.byteLength;
      await target.writeFile(chunk);
    }
    await target.sync();
  } finally {
    await target.close();
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

/** Of a file that lies there already. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'r');
  for await (const chunk of file.createReadStream() as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}

export function invalid(message: string): AppError {
  return new AppError('config_invalid', message);
}
