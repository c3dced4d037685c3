// Blobs as files: written beside their place, synced, then linked into it, so that a reader never sees half.
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { AppError, toError } from '../../kernel/app-error.ts';
import { type BlobInfo, type BlobStore, isBlobKey } from '../../kernel/blob-store.ts';
import { syncFolder, writeSynced } from '../../kernel/durable-file.ts';

export async function createDiskBlobStore(options: {
  dir: string;
  /** Other nodes use the folder too. */
  isShared: boolean;
}): Promise<BlobStore> {
  const root = options.dir;
  const staging = join(root, '.staging');
  // What lies there is left from a crash: nothing names it. On a shared folder it may be another node's, at work.
  if (!options.isShared) await rm(staging, { recursive: true, force: true });
  await mkdir(staging, { recursive: true, mode: 0o700 });
  await syncFolder(dirname(root));

  const pathOf = (key: string): string => {
    if (!isBlobKey(key)) throw new Error(`not a blob key: ${key}`);
    return join(root, ...key.split('/'));
  };

  return {
    async put(key, bytes) {
      const path = pathOf(key);
      const temporary = join(staging, randomBytes(12).toString('hex'));
      try {
        await writeSynced(temporary, bytes);
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        // A link, unlike a rename, refuses to replace what is there.
        await link(temporary, path);
        // Up to the top: the folders may be as new as the file, or left unsynced by a crash.
        for (let at = dirname(path); at.length >= root.length; at = dirname(at)) {
          await syncFolder(at);
        }
      } catch (error) {
        throw FULL.has((error as NodeJS.ErrnoException).code ?? '') ? noRoom(error) : error;
      } finally {
        await rm(temporary, { force: true });
      }
    },

    async read(key) {
      return absentAsNull(readFile(pathOf(key)));
    },

    async open(key, range) {
      const path = pathOf(key);
      const facts = await absentAsNull(stat(path));
      if (!facts) return null;
      return { stream: createReadStream(path, range), sizeBytes: facts.size };
    },

    async delete(key) {
      await rm(pathOf(key), { force: true });
    },

    list: (prefix) => walk(root, prefix),
  };
}

/** What room, rights or repair of the disk would mend. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE', 'ENFILE']);

function noRoom(error: unknown): AppError {
  return new AppError('storage_unavailable', 'The gateway could not store this. Try again.', {
    retryAfterSeconds: 5,
    detail: toError(error).message,
  });
}

async function* walk(root: string, prefix: string): AsyncGenerator<BlobInfo> {
  const top = join(root, ...prefix.split('/').slice(0, -1));
  const entries = await absentAsNull(readdir(top, { recursive: true, withFileTypes: true }));
  for (const entry of entries ?? []) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const key = relative(root, path).split(sep).join('/');
    if (!key.startsWith(prefix) || key.startsWith('.staging/')) continue;
    const facts = await absentAsNull(stat(path));
    if (facts) yield { key, sizeBytes: facts.size, modifiedAt: Math.floor(facts.mtimeMs) };
  }
}

async function absentAsNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
