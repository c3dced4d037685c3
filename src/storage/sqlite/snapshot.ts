// A copy of the database at one moment, made beside the gateway that writes to it.
import { chmodSync, closeSync, fsyncSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface Snapshot {
  tasks: number;
  unfinished: number;
  /** What its rows name. */
  blobKeys: readonly string[];
}

/**
 * Copies the database of a folder to the new file `to`. It reads through a connection and one read transaction of its
 * own, which in WAL neither waits for the gateway's writes nor holds them up: no lock of the folder is needed.
 */
export function copyDatabase(dataDir: string, to: string): Snapshot {
  const source = new DatabaseSync(join(dataDir, 'gateway.db'));
  try {
    source.exec('PRAGMA busy_timeout = 5000');
    source.prepare('VACUUM INTO ?').run(to);
  } finally {
    source.close();
  }
  chmodSync(to, 0o600);
  // SQLite leaves a vacuumed copy to the system's cache.
  const file = openSync(to, 'r');
  fsyncSync(file);
  closeSync(file);
  return readSnapshot(to);
}

function readSnapshot(path: string): Snapshot {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const count = (where: string) =>
      Number(db.prepare(`SELECT COUNT(*) AS count FROM tasks ${where}`).get()?.['count']);
    const keys = db
      .prepare(
        'SELECT blob_key FROM outputs WHERE expired = 0 UNION SELECT blob_key FROM input_blobs',
      )
      .all();
    return {
      tasks: count(''),
      unfinished: count("WHERE status IN ('pending', 'processing')"),
      blobKeys: keys.map((row) => String(row['blob_key'])),
    };
  } finally {
    db.close();
  }
}
