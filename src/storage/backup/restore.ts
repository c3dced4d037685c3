// Puts a backup into an empty folder, every byte checked. A mark in the folder keeps a gateway from serving half of it,
// and from running tasks again that the lost machine may have paid for.
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolderSynced, syncFolder, writeSynced } from '../../kernel/durable-file.ts';
import { copyHashed, DATABASE, invalid, type Manifest, readBackup } from './format.ts';

const MARK = 'restored-from-backup';
const WHOLE = 'whole\n';

/** Throws AppError `config_invalid` when the folder is not empty or the backup not whole; then nothing is left there. */
export async function restoreBackup(options: {
  from: string;
  dataDir: string;
  onProgress(fraction: number, label: string): void;
}): Promise<Manifest> {
  const { from, dataDir, onProgress } = options;
  const { manifest, entries } = await readBackup(from);
  await makeFolderSynced(dataDir);
  const found = await readdir(dataDir);
  if (found.length > 0) {
    throw invalid(
      `${dataDir} is not empty (${found.slice(0, 3).join(', ')}). Name a new folder with --data-dir; nothing was changed.`,
    );
  }
  // First of all, and not if another restore was faster.
  await writeSynced(join(dataDir, MARK), 'half\n');
  await syncFolder(dataDir);
  try {
    // The database last: without it there is nothing to serve.
    const order = [...entries].sort(
      (a, b) => Number(a.path === DATABASE) - Number(b.path === DATABASE),
    );
    for (const [index, { path, sha256 }] of order.entries()) {
      const to = join(dataDir, ...path.split('/'));
      await makeFolderSynced(dirname(to));
      const copied = await copyHashed(join(from, ...path.split('/')), to);
      if (copied === null) throw invalid(`${path} is missing in ${from}.`);
      if (copied.sha256 !== sha256) throw invalid(`${path} in ${from} does not fit its checksum.`);
      await syncFolder(dirname(to));
      onProgress((index + 1) / order.length, `${index + 1} of ${order.length} files`);
    }
    await writeSynced(join(dataDir, `${MARK}.new`), WHOLE);
    await rename(join(dataDir, `${MARK}.new`), join(dataDir, MARK));
    await syncFolder(dataDir);
    return manifest;
  } catch (error) {
    for (const name of await readdir(dataDir)) {
      await rm(join(dataDir, name), { recursive: true, force: true });
    }
    throw error;
  }
}

/** Throws AppError `config_invalid` when the folder must not be served so. */
export async function checkRestored(dataDir: string, isAfterRestore: boolean): Promise<void> {
  const mark = join(dataDir, MARK);
  if (!existsSync(mark)) return;
  if ((await readFile(mark, 'utf8')) !== WHOLE) {
    throw invalid(`The restore into ${dataDir} was cut off. Delete the folder and restore again.`);
  }
  if (isAfterRestore) return;
  throw invalid(
    `${dataDir} was restored from a backup. Start it once with: runapi-gateway serve --after-restore (it fails the tasks that were unfinished, so that no upstream is paid twice). To run them instead, delete ${mark}.`,
  );
}

/** Once no task is unfinished any more, the folder is like any other. */
export async function forgetRestore(dataDir: string): Promise<void> {
  await rm(join(dataDir, MARK), { force: true });
}
