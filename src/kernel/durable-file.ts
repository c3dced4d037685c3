// Files and folder entries that survive a power cut once these resolve.
import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes a file that must not exist yet, for its owner only. Its entry in the folder needs `syncFolder`. */
export async function writeSynced(path: string, bytes: Uint8Array | string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function syncFolder(path: string): Promise<void> {
  // Windows cannot open a folder; its rename is durable enough there.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes the folder and what is missing above it, and syncs every folder that got a new entry. */
export async function makeFolderSynced(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) {
    await syncFolder(dirname(made));
  }
}
