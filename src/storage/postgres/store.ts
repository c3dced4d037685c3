// The store on PostgreSQL. Calls that come together go out as one statement, which is one transaction; the order
// inside it is the same on every node, so that batches wait for each other instead of locking each other up.
import pg from 'pg';
import type { GatewayStore } from '../../domain/operations.ts';
import { AppError, toError } from '../../kernel/app-error.ts';
import { sleep } from '../../kernel/clock.ts';
import { makeToken } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/logger.ts';
import { judge } from './failures.ts';
import { type Changes, startListener } from './listener.ts';
import { type CarriedNews, createNewsCarrier, NEWS_CHANNEL, type NewsCarrier } from './news.ts';
import { openSchema } from './open.ts';
import { decode, encode, type Name, toSafeJson } from './translate.ts';

export interface PostgresOptions {
  url: string;
  /** For LISTEN and migrations where `url` is a transaction pooler; default: `url`. */
  directUrl?: string;
  poolMax?: number;
  version: string;
  log: Logger;
}

export interface PostgresStore extends GatewayStore {
  /** Hears what other nodes committed. */
  onChanges(listener: (changes: Changes) => void): void;
  /** Carries progress and previews to other nodes, and hears theirs. */
  tell: NewsCarrier['tell'];
  onNews(listener: (news: CarriedNews) => void): void;
  /** Operations answered, and the transactions that carried them. */
  stats(): { operations: number; batches: number };
  /** For tests: moves the database's clock forward, as this store sees it. */
  advanceClock(ms: number): void;
}

interface Call {
  name: Name;
  input: unknown;
  /** Identity of the call, so that its repetition after a lost answer finds what it did. */
  id: string;
  order: string;
  giveUpAt: number;
  singleTries: number;
  resolve(output: never): void;
  reject(error: Error): void;
}

type LaneName = 'read' | 'write' | 'alone';

const POOL_MAX = 10;
const BATCH_MAX = 256;
/** How long a call is repeated while the database is away, before its caller hears of it. */
const PATIENCE_MS = 5_000;
const SINGLE_TRIES_MAX = 3;
const STATEMENT_MS_MAX = 30_000;
/** Transactions at once, by lane; reads and single calls must not wait for a batch of writes. */
const IN_FLIGHT_MAX: Readonly<Record<LaneName, number>> = { read: 2, write: 1, alone: 4 };

const READS: ReadonlySet<Name> = new Set<Name>([
  'tasks.findReplay',
  'tasks.get',
  'tasks.list',
  'tasks.attempts',
  'tasks.events',
  'tasks.load',
  'tasks.countCancelsAfterSubmit',
  'outputs.find',
  'blobs.named',
  'nodes.list',
  'accounts.findKey',
  'accounts.list',
  'keys.list',
  'ledger.balance',
  'ledger.check',
  'ledger.statement',
]);

/** They lock many rows, in an order of their own: never in one transaction with others. */
const ALONE: ReadonlySet<Name> = new Set<Name>([
  'tasks.claim',
  'tasks.expireOverdue',
  'tasks.failLost',
  'tasks.failUnfinished',
  'outputs.expire',
  'inputs.erase',
  'accounts.ensureKey',
  'accounts.create',
  'ledger.audit',
  'accounts.keepSecret',
  'accounts.secretCheck',
  'nodes.start',
  'nodes.renew',
  'nodes.stop',
  'nodes.drain',
]);

/** Connects, migrates and listens. Throws AppError `config_invalid` or `storage_unavailable`. */
export async function createPostgresStore(options: PostgresOptions): Promise<PostgresStore> {
  const directUrl = options.directUrl ?? options.url;
  const { functions } = await openSchema(directUrl, options.version);
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolMax ?? POOL_MAX,
    connectionTimeoutMillis: 3_000,
    keepAlive: true,
    application_name: 'runapi-gateway',
    query_timeout: STATEMENT_MS_MAX,
  });
  // An idle connection that breaks is replaced; whoever uses one hears of it by the query.
  pool.on('error', () => {});
  const origin = makeToken();
  const sender = new Sender(pool, functions, origin, options.log);
  const listeners: ((changes: Changes) => void)[] = [];
  const newsListeners: ((news: CarriedNews) => void)[] = [];
  const carrier = createNewsCarrier(origin, async (payloads) => {
    const sql = 'SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload';
    await pool.query(sql, [NEWS_CHANNEL, payloads]);
  });
  const listener = startListener({
    url: directUrl,
    origin,
    log: options.log,
    onChanges: (changes) => {
      for (const one of listeners) one(changes);
    },
    onNews: (news) => {
      for (const one of newsListeners) one(news);
    },
  });
  return {
    run: (name, input) => sender.run(name, input),
    onChanges: (one) => listeners.push(one),
    tell: carrier.tell,
    onNews: (one) => newsListeners.push(one),
    stats: () => ({ ...sender.stats }),
    advanceClock: (ms) => sender.advanceClock(ms),
    async stop() {
      carrier.stop();
      await sender.idle();
      await listener.stop();
      await pool.end();
    },
  };
}

class Sender {
  readonly stats = { operations: 0, batches: 0 };
  readonly #pool: pg.Pool;
  readonly #statement: string;
  readonly #origin: string;
  readonly #log: Logger;
  readonly #queues: Record<LaneName, Call[]> = { read: [], write: [], alone: [] };
  readonly #inFlight: Record<LaneName, number> = { read: 0, write: 0, alone: 0 };
  #clockOffset = 0;
  #nextId = 1;
  #onIdle: (() => void) | null = null;

  constructor(pool: pg.Pool, functions: string, origin: string, log: Logger) {
    this.#pool = pool;
    this.#statement = `SELECT ${functions}.run_batch($1::jsonb, $2, $3) AS answer`;
    this.#origin = origin;
    this.#log = log;
  }

  advanceClock(ms: number): void {
    this.#clockOffset += ms;
  }

  run<Output>(name: Name, input: unknown): Promise<Output> {
    return new Promise((resolve, reject) => {
      const id = `${this.#origin}:${this.#nextId}`;
      this.#nextId += 1;
      const lane = READS.has(name) ? 'read' : ALONE.has(name) ? 'alone' : 'write';
      const giveUpAt = performance.now() + PATIENCE_MS;
      const order = lane === 'write' ? orderOf(input) : '';
      const call: Call = { name, input, id, order, giveUpAt, singleTries: 0, resolve, reject };
      this.#queues[lane].push(call);
      // Deferred by a microtask, so that the calls of one turn share a batch.
      if (this.#queues[lane].length === 1) queueMicrotask(() => this.#pump(lane));
    });
  }

  /** Resolves when everything asked has been answered. */
  async idle(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      this.#tellIdle();
    });
  }

  #pump(lane: LaneName): void {
    while (this.#queues[lane].length > 0 && this.#inFlight[lane] < IN_FLIGHT_MAX[lane]) {
      const size = lane === 'alone' ? 1 : BATCH_MAX;
      const batch = this.#queues[lane].splice(0, size);
      // Locks are taken in this order on every node.
      if (lane === 'write') batch.sort((a, b) => (a.order < b.order ? -1 : 1));
      this.#inFlight[lane] += 1;
      void this.#deliver(batch).finally(() => {
        this.#inFlight[lane] -= 1;
        this.#pump(lane);
        this.#tellIdle();
      });
    }
  }

  #tellIdle(): void {
    const isBusy = Object.values(this.#inFlight).some((count) => count > 0);
    const isWaiting = Object.values(this.#queues).some((queue) => queue.length > 0);
    if (!isBusy && !isWaiting) this.#onIdle?.();
  }

  /** Ends with every call of the batch answered. */
  async #deliver(batch: readonly Call[]): Promise<void> {
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1_000)) {
      try {
        const answers = await this.#send(batch);
        for (const [index, call] of batch.entries()) this.#answer(call, answers[index]);
        return;
      } catch (error) {
        const verdict = judge(error);
        if (verdict !== 'away') return this.#deliverSingly(batch, error, verdict);
        const late = batch.filter(({ giveUpAt }) => performance.now() + pauseMs >= giveUpAt);
        for (const call of late) call.reject(unavailable(error));
        batch = batch.filter((call) => !late.includes(call));
        if (batch.length === 0) return;
        this.#log.warn({ err: error, calls: batch.length }, 'the database is away; repeating');
        await sleep(pauseMs);
      }
    }
  }

  /** The batch was rolled back: by a conflict with another node, or by one call that fails alone too. */
  async #deliverSingly(
    batch: readonly Call[],
    error: unknown,
    verdict: 'conflict' | 'refused',
  ): Promise<void> {
    for (const call of batch) {
      const isOver = batch.length === 1 && verdict === 'refused';
      if (isOver || call.singleTries >= SINGLE_TRIES_MAX) {
        call.reject(verdict === 'conflict' ? unavailable(error) : refused(call, error));
        continue;
      }
      call.singleTries += 1;
      await this.#deliver([call]);
    }
  }

  async #send(batch: readonly Call[]): Promise<unknown[]> {
    const calls = batch.map(({ name, input, id }) => [name, encode(name, input), id]);
    this.stats.batches += 1;
    const values = [toSafeJson(calls), this.#clockOffset, this.#origin];
    const { rows } = await this.#pool.query<[unknown]>({
      text: this.#statement,
      values,
      rowMode: 'array',
    });
    return rows.map(([answer]) => answer);
  }

  #answer(call: Call, answer: unknown): void {
    this.stats.operations += 1;
    call.resolve(decode(call.name, answer, call.input) as never);
  }
}

/** Where a write takes its locks: first the rows of tasks by id, then idempotency records by account and key. */
function orderOf(input: unknown): string {
  const { taskId, accountId, idempotency, id } = input as {
    taskId?: string;
    accountId?: number;
    idempotency?: { key: string } | null;
    id?: string;
  };
  if (taskId !== undefined) return `1 ${taskId}`;
  return `2 ${String(accountId).padStart(16, '0')} ${idempotency?.key ?? id ?? ''}`;
}

function unavailable(error: unknown): AppError {
  return new AppError('storage_unavailable', 'The gateway could not store this. Try again.', {
    retryAfterSeconds: 1,
    detail: toError(error).message,
  });
}

function refused(call: Call, error: unknown): Error {
  return new Error(`${call.name}: ${toError(error).message}`);
}
