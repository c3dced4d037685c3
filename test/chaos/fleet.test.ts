// Three nodes on one PostgreSQL while nodes die, freeze and run on wrong clocks, and the database is restarted and cut off.
// CHAOS_SECONDS says how long, CHAOS_SEED repeats the choices of a run.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createScriptedServer, type ScriptedServer } from '../../src/providers/scripted/server.ts';
import type { TaskBody } from '../support/client.ts';
import { concurrently } from '../support/concurrently.ts';
import { type Fleet, startFleet } from '../support/fleet.ts';
import { createRandom, readSeed } from '../support/random.ts';
import { chaosConfig } from './chaos-config.ts';
import { planTasks, type SentTask } from './task-load.ts';

const SECONDS = Number(process.env['CHAOS_SECONDS'] ?? 60);
const BURST = 60;
const LANES = 20;
const HOUR_MS = 3_600_000;
const LEASE_MS = 15_000;
const seed = readSeed('CHAOS_SEED');
const random = createRandom(seed);

const TROUBLES = ['kill', 'kill', 'freeze', 'restart database', 'cut connections'] as const;

/** What must be empty whatever has happened. */
const INVARIANTS: Readonly<Record<string, string>> = {
  'tasks that did not end':
    "SELECT id FROM gateway.tasks WHERE status IN ('pending', 'processing')",
  'tasks without exactly one end': `SELECT t.id FROM gateway.tasks t LEFT JOIN gateway.events e
    ON e.task_id = t.id AND e.type IN ('task.completed', 'task.failed')
    GROUP BY t.id, t.status HAVING count(e.seq) <> 1 OR min(e.type) <> 'task.' || t.status`,
  'completed tasks without outputs': `SELECT id FROM gateway.tasks t WHERE status = 'completed'
    AND NOT EXISTS (SELECT 1 FROM gateway.outputs o WHERE o.task_id = t.id)`,
  'failed tasks that were charged':
    "SELECT id FROM gateway.tasks WHERE status = 'failed' AND charged <> 0",
  'two tasks for one idempotency key': `SELECT client_request_id FROM gateway.tasks
    JOIN gateway.idempotency i ON i.task_id = tasks.id GROUP BY client_request_id HAVING count(*) > 1`,
  'attempts left open, but by a death during a cancel': `SELECT a.task_id FROM gateway.attempts a
    JOIN gateway.tasks t ON t.id = a.task_id
    WHERE a.finished_at IS NULL AND t.error_code IS DISTINCT FROM 'canceled'`,
};

let server: ScriptedServer;
let fleet: Fleet;

beforeAll(async () => {
  server = await createScriptedServer();
  fleet = await startFleet({
    config: chaosConfig(server.url, 1_000),
    count: 3,
    skewsMs: [0, HOUR_MS, -HOUR_MS],
  });
});

afterAll(async () => {
  await fleet?.stop();
  await server?.stop();
});

async function makeTrouble(trouble: (typeof TROUBLES)[number]): Promise<void> {
  const slot = random.integer(3);
  const node = fleet.nodes[slot];
  if (!node) throw new Error('no node');
  if (trouble === 'kill') {
    await node.kill9();
    await delay(random.integer(3_000));
    await fleet.restartNode(slot);
  } else if (trouble === 'freeze') {
    node.signal('SIGSTOP');
    await delay(LEASE_MS + 3_000);
    node.signal('SIGCONT');
  } else if (trouble === 'restart database') {
    await fleet.postgres.restart();
  } else {
    for (let times = 0; times < 5; times += 1) {
      await fleet
        .query(
          'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL',
        )
        .catch(() => {});
      await delay(300);
    }
  }
}

async function sendBurst(name: string): Promise<SentTask[]> {
  const tasks = planTasks(random, name, BURST).map((task) => ({
    ...task,
    key: `key-${task.requestId}`,
  }));
  await concurrently(tasks, LANES, async (task) => {
    const headers = { 'x-client-request-id': task.requestId, 'idempotency-key': task.key };
    const { status, body } = await fleet.call('POST', '/v1/text_to_image', task.body, headers);
    expect(status).toBe(200);
    (task as SentTask).id = body.id;
  });
  return tasks;
}

async function settle(): Promise<void> {
  const until = performance.now() + 120_000;
  for (;;) {
    const [row] = await fleet.query(
      "SELECT count(*)::int AS open FROM gateway.tasks WHERE status IN ('pending', 'processing')",
    );
    if (row?.['open'] === 0 || performance.now() > until) return;
    await delay(500);
  }
}

/** Every accepted task, asked of any node: its end, and its images where it has some. */
async function expectKept(tasks: readonly SentTask[]): Promise<void> {
  await concurrently(tasks, LANES, async (task) => {
    const { body } = await fleet.call('GET', `/v1/tasks/${task.id}`);
    expect(['completed', 'failed'], `${task.requestId} ${JSON.stringify(body)}`).toContain(
      body.status,
    );
    for (const image of body.images ?? []) {
      const { pathname } = new URL(image.url);
      expect((await fleet.call('GET', pathname)).status).toBe(200);
    }
  });
}

describe(`three nodes, ${SECONDS} s of trouble (seed ${seed})`, () => {
  const sent: SentTask[] = [];
  const troubles: string[] = [];

  it('take every task, whatever happens to them', {
    timeout: (SECONDS + 300) * 1_000,
  }, async () => {
    const until = performance.now() + SECONDS * 1_000;
    const sending = (async () => {
      for (let burst = 0; performance.now() < until; burst += 1) {
        sent.push(...(await sendBurst(`b${burst}`)));
        await delay(500);
      }
    })();
    while (performance.now() < until) {
      const trouble = random.pick(TROUBLES);
      troubles.push(trouble);
      await makeTrouble(trouble);
      await delay(1_000 + random.integer(3_000));
    }
    await sending;
    await settle();
    await expectKept(sent);
  });

  it.each(Object.entries(INVARIANTS))('and leave no %s', async (_name, sql) => {
    expect(await fleet.query(sql)).toEqual([]);
  });

  it('and the money adds up', async () => {
    const functions = await fleet.query(
      "SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'gateway_ops_%'",
    );
    const audit = `SELECT ${String(functions[0]?.['name'])}.ledger_audit('{"limit": 9}') AS findings`;
    expect(await fleet.query(audit)).toEqual([{ findings: [] }]);
  });

  it('and no upstream was asked twice for one attempt', async () => {
    const counts = new Map<string, number>();
    for (const { taskId, attempt, isRepeat } of server.creates()) {
      if (!isRepeat)
        counts.set(`${taskId} ${attempt}`, (counts.get(`${taskId} ${attempt}`) ?? 0) + 1);
    }
    expect([...counts].filter(([, count]) => count > 1)).toEqual([]);
    console.log(
      `CHAOS_SEED=${seed}: ${sent.length} tasks, ${server.creates().length} creates; ${troubles.join(', ')}`,
    );
  });

  it('and no node met an internal error', () => {
    for (const node of fleet.nodes) expect(node.stderr()).not.toContain('internal_error');
  });

  it('a task run by a node that died is taken over within two leases', async () => {
    const script = 'a picture [[script: delay=40000 outcome=ok]]';
    const { body } = await fleet.call('POST', '/v1/text_to_image', {
      model: 'gpt-image-2.5-flare',
      prompt: script,
    });
    const running = async () => {
      const [row] = await fleet.query(
        `SELECT owner, claim FROM gateway.tasks WHERE id = '${body.id}' AND status = 'processing'`,
      );
      return row;
    };
    await expect.poll(running, { timeout: 5_000 }).toBeDefined();
    const owner = (await running())?.['owner'];
    await Promise.all(fleet.nodes.map((node) => node.kill9()));
    const diedAt = performance.now();
    await fleet.restartNode(0);
    await expect
      .poll(async () => (await running())?.['owner'], { timeout: 2 * LEASE_MS, interval: 200 })
      .not.toBe(owner);
    expect(performance.now() - diedAt).toBeLessThan(2 * LEASE_MS);
    const end = await fleet.call('GET', `/v1/tasks/${body.id}?wait=60`);
    expect((end.body as TaskBody).status).toBe('completed');
  });
});
