// The promise of durability when the machine loses power, not only the process.
//
// How the cut is simulated: the gateway runs under strace, which records every system call that changes its data folder,
// with the bytes. It is killed under load at a random moment; a model of a disk (`lossy-disk.ts`) is fed the recording and
// drops what no fsync had covered, in part or altogether; what is left is written into a new folder, and a gateway is
// started on that. The model without losses must equal the real folder, so that nothing escapes the recording.
// What it does not show: a disk that lies about fsync, and the order in which one file system of many writes back.
// POWER_ROUNDS says how often, CHAOS_SEED repeats the choices of a run.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createScriptedServer, type ScriptedServer } from '../../src/providers/scripted/server.ts';
import { type Client, createClient, type TaskBody } from '../support/client.ts';
import { concurrently } from '../support/concurrently.ts';
import { eventually } from '../support/eventually.ts';
import { makeDataDir, startGateway, type TestGateway } from '../support/gateway.ts';
import { createRandom, readSeed } from '../support/random.ts';
import { readSyscalls, traceInto } from '../support/syscalls.ts';
import { chaosConfig } from './chaos-config.ts';
import { type Keeps, LossyDisk } from './lossy-disk.ts';
import { createTask, planTasks, type SentTask, sendTasks } from './task-load.ts';
import {
  type Evidence,
  expectHonestAttempts,
  expectImages,
  expectOneEnd,
  expectScriptedEnd,
} from './task-promises.ts';

const ROUNDS = Number(process.env['POWER_ROUNDS'] ?? 4);
const TASKS = 150;
const LANES = 20;
const KEEPS: readonly Keeps[] = ['nothing', 'half', 'nearly all'];
/** Written through a mapping, not by calls, and made anew after a crash; or no promise at all. */
const NOT_COMPARED = /-shm$|^test\.yaml$/;
const canTrace = spawnSync('strace', ['-f', 'true']).status === 0;
const seed = readSeed('CHAOS_SEED');
const random = createRandom(seed);

let server: ScriptedServer;
let config: object;
const history: string[] = [];
/** Of all rounds: what was acknowledged, and the images of what was seen completed. */
const promised = new Map<string, { sent: SentTask; sha256: readonly string[] | null }>();

beforeAll(async () => {
  server = await createScriptedServer();
  config = chaosConfig(server.url, ROUNDS + 5);
});
afterAll(() => server.stop());

/** Who traces this process. */
function tracerOf(pid: number): string {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return /^TracerPid:\s+([1-9]\d*)$/m.exec(status)?.[1] ?? 'none';
}

/** Resolves when the tracer has written all it saw and has ended; where nobody reaps it, it stays as a zombie. */
async function traceIsWhole(tracer: string): Promise<void> {
  await eventually(() => {
    if (!existsSync(`/proc/${tracer}/status`)) return true;
    return /^State:\s+Z/m.test(readFileSync(`/proc/${tracer}/status`, 'latin1'));
  });
}

async function noteDown(client: Client, tasks: readonly SentTask[]): Promise<void> {
  const known = tasks.flatMap((sent) => (sent.id === null ? [] : [{ sent, id: sent.id }]));
  await concurrently(known, LANES, async ({ sent, id }) => {
    const seen = await client.get(`/v1/tasks/${id}`).catch(() => null);
    if (seen?.body.status !== 'completed') return;
    promised.set(id, { sent, sha256: seen.body.images?.map(({ sha256 }) => sha256) ?? [] });
  });
}

/** One gateway under load until it dies; then only what a power cut would have left. */
async function losePower(dataDir: string, round: number): Promise<{ left: string; lost: number }> {
  const disk = new LossyDisk(dataDir);
  const logs = await makeDataDir();
  const log = join(logs, 'trace');
  const gateway = await startGateway({ config, dataDir, under: traceInto(log) });
  const tracer = tracerOf(gateway.pid);
  const client = createClient(gateway);
  const tasks = planTasks(random, `p${round}`, TASKS);
  const sending = sendTasks(client, random, tasks);
  const dyingAt = delay(300 + random.integer(2_500));
  await Promise.race([sending, dyingAt]);
  const noting = noteDown(client, tasks).catch(() => {});
  await dyingAt;
  await gateway.kill9();
  await Promise.all([sending, noting]);
  await client.close();
  for (const sent of tasks) {
    if (sent.id !== null && !promised.has(sent.id)) promised.set(sent.id, { sent, sha256: null });
  }
  await traceIsWhole(tracer);
  let unfinished = 0;
  for await (const { result, ...call } of readSyscalls(log, dataDir)) {
    if (result === null) unfinished += 1;
    else disk.apply({ ...call, result });
  }
  const differing = differences(disk, dataDir);
  expect(differing.length, differing.join(', ')).toBeLessThanOrEqual(unfinished);
  const left = await makeDataDir();
  const lost = disk.cutPower(left, KEEPS[round % KEEPS.length] ?? 'nothing', random);
  for (const folder of [logs, dataDir]) await rm(folder, { recursive: true });
  return { left, lost };
}

/** Files that the recording knows otherwise than the real folder. */
function differences(disk: LossyDisk, dataDir: string): string[] {
  const recorded = [...disk.files()].filter(([path]) => !NOT_COMPARED.test(path));
  expect(recorded.map(([path]) => path)).toContain('gateway.db-wal');
  return recorded.flatMap(([path, bytes]) => {
    const real = tryRead(join(dataDir, path));
    return real?.equals(bytes) ? [] : [path];
  });
}

function tryRead(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

async function expectKept(gateway: TestGateway, client: Client): Promise<void> {
  await concurrently([...promised], LANES, async ([id, { sent, sha256 }]) => {
    const task: TaskBody = await client.until(id);
    const creates = server.creates().filter(({ taskId }) => taskId === id);
    const evidence: Evidence = { task, trace: await gateway.trace(id), creates };
    expectOneEnd(evidence);
    expectHonestAttempts(sent, evidence);
    expectScriptedEnd(sent, evidence);
    await expectImages(evidence);
    if (sha256 !== null) expect(task.images?.map((image) => image.sha256)).toEqual(sha256);
    if (sent.key === null) return;
    const { task_replayed: isReplayed, status } = await createTask(client, sent);
    expect({ isReplayed, status }).toEqual({ isReplayed: true, status: task.status });
  });
}

it.skipIf(!canTrace)(
  `${ROUNDS} power cuts under load: no acknowledged task, no cancel and no output of a completed task is lost (seed ${seed})`,
  async () => {
    let dataDir = await makeDataDir();
    for (let round = 1; round <= ROUNDS; round += 1) {
      const { left, lost } = await losePower(dataDir, round);
      dataDir = left;
      const gateway = await startGateway({ config, dataDir });
      const client = createClient(gateway);
      await expectKept(gateway, client);
      await client.close();
      expect(await gateway.terminate()).toBe(0);
      expect(gateway.stderr()).not.toContain('internal_error');
      history.push(`${promised.size} promised, ${lost} bytes never synced`);
    }
    console.log(`CHAOS_SEED=${seed}: ${history.join('; ')}`);
  },
);
