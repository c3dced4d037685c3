// Which of the numbered migration files a database still needs, and whether this program may run on it at all.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';

export interface Migration {
  /** `0001_init.sql`; applied in the order of names. */
  name: string;
  sql: string;
  checksum: string;
  /** The oldest migration a program must know to run on a database that has this one (`-- runs with: NAME`). */
  runsWith: string;
}

export interface AppliedMigration {
  name: string;
  checksum: string;
  runsWith: string;
  /** The version of the program that applied it. */
  version: string;
}

/** The files of one engine, in order. */
export function readMigrations(folder: URL): readonly Migration[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => {
      const sql = readFileSync(new URL(name, folder), 'utf8');
      const checksum = createHash('sha256').update(sql).digest('hex');
      const runsWith = /^-- runs with: (\S+)$/m.exec(sql)?.[1] ?? name;
      return { name, sql, checksum, runsWith };
    });
}

/**
 * The missing files, or the sentence why this program must not touch the database. A migration that an older
 * program can live with says so (`-- runs with:`), so that nodes are upgraded one after another.
 */
export function planMigrations(
  files: readonly Migration[],
  applied: readonly AppliedMigration[],
): { missing: readonly Migration[] } | { refusal: string } {
  const known = new Map(files.map((file) => [file.name, file]));
  const newest = files.at(-1)?.name ?? '';
  const tooNew = applied.find(({ name, runsWith }) => !known.has(name) && runsWith > newest);
  if (tooNew) {
    return {
      refusal: `The database holds the migration ${tooNew.name}, which this version does not know. Start version ${tooNew.version}, which wrote it, or a newer one.`,
    };
  }
  const changed = applied.find(
    ({ name, checksum }) => known.has(name) && known.get(name)?.checksum !== checksum,
  );
  if (changed) {
    return {
      refusal: `The migration ${changed.name} differs from the one that made this database. Restore the file that came with this version.`,
    };
  }
  const done = new Set(applied.map(({ name }) => name));
  return { missing: files.filter(({ name }) => !done.has(name)) };
}

/** A row of either engine's table of migrations. */
export function toApplied(row: Readonly<Record<string, unknown>>): AppliedMigration {
  return {
    name: String(row['name']),
    checksum: String(row['checksum']),
    runsWith: String(row['runs_with']),
    version: String(row['version']),
  };
}
