// `node scripts/with-postgres.ts SCRIPT [ARGS…]`: starts a PostgreSQL of its own, runs a Node.js script with it, stops it. Tests that start gateways put them on it.
import { spawnSync } from 'node:child_process';
import { startPostgres } from '../test/support/postgres.ts';

const server = await startPostgres();
try {
  const env = { ...process.env, TEST_DATABASE_SERVER: server.url, TEST_ENGINE: 'postgres' };
  const ended = spawnSync(process.execPath, process.argv.slice(2), { stdio: 'inherit', env });
  process.exitCode = ended.status ?? 1;
} finally {
  await server.stop();
}
