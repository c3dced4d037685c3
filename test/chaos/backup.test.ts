// The drill: a backup under load, the machine is lost, its backup becomes a gateway on another folder.
// CHAOS_SEED repeats the choices of a run.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createScriptedServer, type ScriptedServer } from '../../src/providers/scripted/server.ts';
import { type Client, createClient, type TaskBody } from '../support/client.ts';
import { concurrently } from '../support/concurrently.ts';
import { makeDataDir, runCommand, startGateway, type TestGateway } from '../support/gateway.ts';
import { createRandom, readSeed } from '../support/random.ts';
import { chaosConfig } from './chaos-config.ts';
import { createTask, planTasks, type SentTask, sendTasks } from './task-load.ts';
import { expectImages, expectOneEnd } from './task-promises.ts';

const LANES = 25;
const LOST = 'interrupted_by_restore';
const seed = readSeed('CHAOS_SEED');
const random = createRandom(seed);

/** What a caller had in hand when the backup began. */
interface Known {
  sent: SentTask;
  id: string;
  /** Null: not completed by then. */
  sha256: readonly string[] | null;
}

let server: ScriptedServer;
let config: object;
let folder: string;
let restored: TestGateway;
let client: Client;
let known: Known[];
let afterwards: Map<string, TaskBody>;
let createsOfLostMachine: number;

const hashesOf = ({ images = [] }: TaskBody) => images.map(({ sha256 }) => sha256);

async function noteDown(caller: Client, tasks: readonly SentTask[]): Promise<Known[]> {
  const acknowledged = tasks.flatMap((sent) => (sent.id === null ? [] : [{ sent, id: sent.id }]));
  return concurrently(acknowledged, LANES, async ({ sent, id }) => {
    const { body } = await caller.get(`/v1/tasks/${id}`);
    return { sent, id, sha256: body.status === 'completed' ? hashesOf(body) : null };
  });
}

/** Load before, during and after the backup, some of it far from finished; then the machine is gone. */
async function loseMachine(backup: string): Promise<void> {
  const lost = await startGateway({ config });
  const caller = createClient(lost);
  const early = planTasks(random, 'early', 120);
  await sendTasks(caller, random, early);
  const slow = planTasks(random, 'slow', 30).map((task) => ({
    ...task,
    body: { ...task.body, prompt: 'slow [[script: delay=60000 outcome=ok]]' },
  }));
  await sendTasks(caller, random, slow);
  await delay(2_000);
  const late = sendTasks(caller, random, planTasks(random, 'late', 400)).catch(() => {});
  known = await noteDown(caller, [...early, ...slow]);
  const said = JSON.parse(await runCommand(lost.dataDir, ['backup', backup, '--json']));
  expect(said).toMatchObject({ missing: [], secret: 'included', blobs: 'included' });
  await lost.kill9();
  await rm(lost.dataDir, { recursive: true });
  await late;
  await caller.close();
  // What was on its way to the upstream when the machine died still arrives.
  await delay(500);
  createsOfLostMachine = server.creates().length;
}

beforeAll(async () => {
  server = await createScriptedServer();
  config = chaosConfig(server.url, 5);
  folder = await makeDataDir();
  const backup = join(folder, 'backup');
  const dataDir = join(folder, 'restored');
  await loseMachine(backup);
  await runCommand(dataDir, ['restore', backup]);
  await expect(startGateway({ config, dataDir })).rejects.toThrow('serve --after-restore');
  restored = await startGateway({ config, dataDir, args: ['--after-restore'] });
  client = createClient(restored);
  const found = await concurrently(known, LANES, ({ id }) => client.get(`/v1/tasks/${id}`));
  afterwards = new Map(found.map(({ body }) => [body.id, body]));
}, 120_000);

afterAll(async () => {
  await client?.close();
  await restored?.stop();
  await server?.stop();
});

it(`every task acknowledged before the backup began is there, and has one end (seed ${seed})`, async () => {
  expect(afterwards.size).toBe(known.length);
  await concurrently(known, LANES, async ({ id }) => {
    const task = afterwards.get(id) as TaskBody;
    expectOneEnd({ task, trace: await restored.trace(id), creates: [] });
  });
});

it('outputs of completed tasks are served byte for byte', async () => {
  const completed = known.filter(({ sha256 }) => sha256 !== null);
  expect(completed.length).toBeGreaterThan(50);
  await concurrently(known, LANES, async ({ id, sha256 }) => {
    const task = afterwards.get(id) as TaskBody;
    if (sha256 !== null) expect(hashesOf(task)).toEqual(sha256);
    await expectImages({ task, trace: await restored.trace(id), creates: [] });
  });
});

it('unfinished tasks are failed, say so, and are not paid to an upstream again', async () => {
  const ended = [...afterwards.values()].filter(({ error_code: code }) => code === LOST);
  expect(ended.length).toBeGreaterThanOrEqual(20);
  for (const { id } of ended) {
    const { attempts } = await restored.trace(id);
    expect(attempts.filter(({ finishedAt }) => finishedAt === null)).toEqual([]);
  }
  await delay(2_000);
  expect(server.creates().length).toBe(createsOfLostMachine);
});

it('a create that is sent again finds its task, ended as it is, and starts nothing', async () => {
  const repeatable = known.filter(({ sent }) => sent.key !== null);
  await concurrently(repeatable, LANES, async ({ sent, id, sha256 }) => {
    const replay = await createTask(client, sent);
    const { status } = afterwards.get(id) as TaskBody;
    expect(replay).toMatchObject({ id, task_replayed: true, status });
    if (sha256 !== null) expect(status).toBe('completed');
  });
  expect(server.creates().length).toBe(createsOfLostMachine);
});

it('the next start needs no flag, and the gateway works', async () => {
  await client.close();
  expect(await restored.terminate()).toBe(0);
  expect(existsSync(join(restored.dataDir, 'restored-from-backup'))).toBe(false);
  restored = await startGateway({ config, dataDir: restored.dataDir });
  client = createClient(restored);
  const { body } = await client.post('/v1/text_to_image', { model: 'gpt-image-2', prompt: 'on' });
  expect((await client.until(body.id)).status).toBe('completed');
  expect(restored.stderr()).not.toContain('internal_error');
});
