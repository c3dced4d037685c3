// The promise of durability: whatever was answered survives a process that dies at any moment.
// CHAOS_ROUNDS says how often, CHAOS_SEED repeats the choices of a run.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { createScriptedServer, type ScriptedServer } from '../../src/providers/scripted/server.ts';
import { type Client, createClient, type TaskBody } from '../support/client.ts';
import { concurrently } from '../support/concurrently.ts';
import { crashAtStart, makeDataDir, startGateway, type TestGateway } from '../support/gateway.ts';
import { createRandom, type Random, readSeed } from '../support/random.ts';
import { chaosConfig } from './chaos-config.ts';
import { createTask, planTasks, type SentTask, sendTasks } from './task-load.ts';
import {
  type Evidence,
  expectHonestAttempts,
  expectImages,
  expectOneEnd,
  expectScriptedEnd,
} from './task-promises.ts';

const ROUNDS = Number(process.env['CHAOS_ROUNDS'] ?? 5);
const TASKS = 200;
const KILLS_MAX = 3;
const LANES = 25;
const seed = readSeed('CHAOS_SEED');
const random = createRandom(seed);
const servers: ScriptedServer[] = [];

afterAll(async () => {
  for (const server of servers) await server.stop();
});

/** Kills the gateway one to three times, once under load, later while it recovers or even while it starts. */
async function suffer(
  first: TestGateway,
  options: { config: object; dataDir: string },
  choices: Random,
): Promise<{ gateway: TestGateway; kills: number }> {
  let gateway = first;
  const kills = 1 + choices.integer(KILLS_MAX);
  for (let kill = 1; kill <= kills; kill += 1) {
    await delay(choices.chance(0.2) ? choices.integer(150) : choices.integer(2_000));
    await gateway.kill9();
    if (choices.chance(0.25)) await crashAtStart(options, 50 + choices.integer(700));
    gateway = await startGateway(options);
  }
  return { gateway, kills };
}

/** What got no answer: a caller with a key sends again; without one, looks whether it was taken. */
async function settleUnanswered(
  client: Client,
  tasks: readonly SentTask[],
  choices: Random,
): Promise<void> {
  for (const task of tasks) {
    if (task.id === null && task.key !== null && choices.chance(0.7)) {
      await createTask(client, task);
    }
  }
  await concurrently(tasks, LANES, async (task) => {
    const path = `/v1/tasks?client_request_id=${task.requestId}`;
    const found = (await client.get(path)).body.data ?? [];
    expect(found.length, `${task.requestId} is one task at most`).toBeLessThanOrEqual(1);
    if (task.id !== null) expect(found[0]?.id).toBe(task.id);
    task.id ??= found[0]?.id ?? null;
  });
}

async function collect(
  gateway: TestGateway,
  server: ScriptedServer,
  task: TaskBody,
): Promise<Evidence> {
  const creates = server.creates().filter(({ taskId }) => taskId === task.id);
  return { task, trace: await gateway.trace(task.id), creates };
}

async function checkAll(
  gateway: TestGateway,
  client: Client,
  server: ScriptedServer,
  tasks: readonly SentTask[],
): Promise<void> {
  const taken = tasks.flatMap((sent) => (sent.id === null ? [] : [{ sent, id: sent.id }]));
  const ended = await concurrently(taken, TASKS, ({ id }) => client.until(id, 60_000));
  await concurrently(taken, LANES, async ({ sent }, index) => {
    const evidence = await collect(gateway, server, ended[index] as TaskBody);
    expectOneEnd(evidence);
    expectHonestAttempts(sent, evidence);
    expectScriptedEnd(sent, evidence);
    await expectImages(evidence);
    if (sent.key === null) return;
    const replay = await createTask(client, sent);
    expect(replay).toMatchObject({ task_replayed: true, status: evidence.task.status });
  });
}

it(`${TASKS} running tasks and kill -9, ${ROUNDS} rounds (seed ${seed}): each ends once`, async () => {
  const server = await createScriptedServer();
  servers.push(server);
  const options = {
    config: chaosConfig(server.url, KILLS_MAX * ROUNDS + 5),
    dataDir: await makeDataDir(),
  };
  const history: string[] = [];
  let gateway = await startGateway(options);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const tasks = planTasks(random, `r${round}`, TASKS);
    const before = createClient(gateway);
    const sending = sendTasks(before, random, tasks);
    const { gateway: survivor, kills } = await suffer(gateway, options, random);
    await sending;
    await before.close();
    gateway = survivor;
    const answered = tasks.filter(({ id }) => id !== null).length;
    const client = createClient(gateway);
    await settleUnanswered(client, tasks, random);
    await checkAll(gateway, client, server, tasks);
    expect(await gateway.audit()).toEqual([]);
    await client.close();
    history.push(`${answered} answered, ${kills} kills`);
  }
  console.log(`CHAOS_SEED=${seed}: ${history.join('; ')}; ${server.creates().length} creates`);
  expect(gateway.stderr()).not.toContain('internal_error');
  await gateway.stop();
});
