// Several nodes on one PostgreSQL and one folder of images, and a caller who takes any of them.

import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Answer, type Client, createClient } from './client.ts';
import { makeDataDir, startGateway, type TestGateway } from './gateway.ts';
import { type PostgresServer, query, startPostgres } from './postgres.ts';

const SKEWED_CLOCK = fileURLToPath(new URL('./skewed-clock.ts', import.meta.url));

export interface Fleet {
  postgres: PostgresServer;
  databaseUrl: string;
  /** Holds the images of all nodes. */
  dataDir: string;
  /** By slot; a restarted node takes the place of the one before. */
  nodes: TestGateway[];
  restartNode(slot: number): Promise<void>;
  query(sql: string): Promise<Record<string, unknown>[]>;
  /** In another database of the same server. */
  queryIn(url: string, sql: string): Promise<Record<string, unknown>[]>;
  /** Asks any living node until one answers below 500. */
  call(method: 'GET' | 'POST', path: string, body?: unknown, headers?: object): Promise<Answer>;
  stop(): Promise<void>;
}

export interface FleetOptions {
  config: object;
  count: number;
  /** Of the wall clock, by slot. */
  skewsMs?: readonly number[];
  env?: Readonly<Record<string, string>>;
}

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const postgres = await startPostgres();
  const dataDir = await makeDataDir();
  const databaseUrl = postgres.url;
  const clients = new Map<TestGateway, Client>();
  const startNode = (slot: number) => {
    const skewMs = options.skewsMs?.[slot] ?? 0;
    const skew = { NODE_OPTIONS: `--import=${SKEWED_CLOCK}`, CLOCK_SKEW_MS: String(skewMs) };
    const env = { DATABASE_URL: databaseUrl, ...options.env, ...(skewMs === 0 ? {} : skew) };
    return startGateway({ config: options.config, dataDir, env });
  };
  const slots = Array.from({ length: options.count }, (_, slot) => slot);
  const nodes = await Promise.all(slots.map(startNode));
  const clientOf = (node: TestGateway): Client => {
    const client = clients.get(node) ?? createClient(node);
    clients.set(node, client);
    return client;
  };
  return {
    postgres,
    databaseUrl,
    dataDir,
    nodes,
    queryIn: query,
    async restartNode(slot) {
      nodes[slot] = await startNode(slot);
    },
    query: (sql) => query(databaseUrl, sql),
    async call(method, path, body, headers) {
      for (let tries = 0; ; tries += 1) {
        const alive = nodes.filter((node) => node.isRunning());
        const node = alive[Math.floor(Math.random() * alive.length)];
        try {
          if (!node) throw new Error('no node is running');
          const answer = await withLimit(clientOf(node).call(method, path, body, headers));
          if (answer.status < 500) return answer;
          throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
        } catch (error) {
          if (tries >= 120) throw error;
          await delay(500);
        }
      }
    },
    async stop() {
      await Promise.all([...clients.values()].map((client) => client.close()));
      for (const node of nodes) node.signal('SIGCONT');
      for (const node of nodes) await node.stop();
      await postgres.stop();
    },
  };
}

/** A stopped process accepts and never answers; a caller looks elsewhere. */
async function withLimit<T>(work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const late = delay(8_000, undefined, { signal: timer.signal }).then(() => {
    throw new Error('no answer in time');
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    timer.abort();
    late.catch(() => {});
    work.catch(() => {});
  }
}
