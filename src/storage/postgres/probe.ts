// A look at the database for the doctor; changes nothing.
import pg from 'pg';
import { openSchema } from './open.ts';

export interface PostgresProbe {
  missing: readonly string[];
  isPooler: boolean;
  /** Of one question, over an open connection. */
  ms: number;
  nodes: readonly { name: string; settingsHash: string }[];
}

export async function probePostgres(
  database: { url: string; directUrl: string },
  version: string,
): Promise<PostgresProbe> {
  const { missing, isNew } = await openSchema(database.directUrl, version, true);
  const direct = await ask(database.directUrl, isNew);
  const pooled = await ask(database.url, isNew);
  return { ...pooled, missing, isPooler: direct.isPooler };
}

async function ask(url: string, isNew: boolean) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    const startedAt = performance.now();
    const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
    const ms = performance.now() - startedAt;
    // A pooler makes up the process id that it tells its client.
    const { processID } = client as unknown as { processID: number };
    const sql =
      'SELECT name, settings_hash AS "settingsHash" FROM gateway.nodes WHERE lease_until > extract(epoch FROM now()) * 1000';
    const nodes = isNew ? [] : (await client.query(sql)).rows;
    return { isPooler: rows[0]?.pid !== processID, ms, nodes };
  } finally {
    await client.end();
  }
}
