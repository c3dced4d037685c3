// A real PostgreSQL of the tests' own, in a throw-away folder on a free port: they restart it and cut it off, which one
// does not do to somebody's server.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { eventually } from './eventually.ts';

const DEBIAN_FOLDER = '/usr/lib/postgresql';

export interface PostgresServer {
  /** Of the database `postgres`; others are made beside it. */
  url: string;
  /** Ends every backend at once and starts again, as after a crash. */
  restart(): Promise<void>;
  /** Down until it is resumed. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** Fails with what to install when there is no PostgreSQL 15 or newer. */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const bin = findBinaries();
  const folder = mkdtempSync(join(tmpdir(), 'runapi-postgres-'));
  const data = join(folder, 'data');
  // The server refuses to run as root.
  const user = process.getuid?.() === 0 ? asPostgres(folder) : [];
  const run = (program: string, args: readonly string[]) => {
    const [command = '', ...rest] = [...user, join(bin, program), ...args];
    execFileSync(command, rest, { stdio: 'pipe', cwd: folder });
  };
  run('initdb', ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync']);
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const options = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
  ];
  const flags = [...options, 'max_connections=200', ...settings].flatMap((one) => ['-c', one]);
  const start = async () => {
    const [command = '', ...rest] = [...user, join(bin, 'postgres'), '-D', data, ...flags];
    const child = spawn(command, rest, { stdio: 'ignore', cwd: folder });
    child.unref();
    await eventually(() => isUp(url));
  };
  const halt = (mode: string) => run('pg_ctl', ['-D', data, '-m', mode, '-w', 'stop']);
  await start();
  return {
    url,
    async restart() {
      halt('immediate');
      await start();
    },
    async pause() {
      halt('immediate');
    },
    resume: start,
    async stop() {
      halt('immediate');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The server that `npm run test:postgres` has started. */
export function requireServer(): string {
  const url = process.env['TEST_DATABASE_SERVER'];
  if (url) return url;
  throw new Error('these tests need a PostgreSQL server: run them by `npm run test:postgres`');
}

/** An empty database on that server. */
export async function makeDatabase(server = requireServer()): Promise<string> {
  const name = `t${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  await query(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

export async function dropDatabase(url: string): Promise<void> {
  const server = new URL(url);
  const name = server.pathname.slice(1);
  server.pathname = '/postgres';
  await query(server.href, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

function findBinaries(): string {
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER) : [];
  const newest = Math.max(...versions.map(Number).filter((version) => version >= 15), 0);
  if (newest > 0) return join(DEBIAN_FOLDER, String(newest), 'bin');
  throw new Error('no PostgreSQL 15 or newer is here; on Debian: apt-get install postgresql');
}

function asPostgres(folder: string): readonly string[] {
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })),
  );
  chownSync(folder, Number(uid), Number(gid));
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
}

async function isUp(url: string): Promise<boolean> {
  return query(url, 'SELECT 1').then(
    () => true,
    () => false,
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
