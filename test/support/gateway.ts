// Starts the real process, as an operator would, and takes it down again. Whatever a test forgets dies with it.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client, request } from 'undici';
import { stringify } from 'yaml';
import { eventually } from './eventually.ts';
import { makeDatabase } from './postgres.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const START_MS_MAX = 30_000;

export const TEST_KEY = 'runapi_journey_key';

export interface TestGateway {
  url: string;
  key: string;
  dataDir: string;
  pid: number;
  stderr(): string;
  isRunning(): boolean;
  /** A task as its operator sees it, with attempts and events, through the control socket. */
  trace(taskId: string): Promise<TaskTrace>;
  /** What is wrong with the money; rejects when something is. */
  audit(): Promise<unknown>;
  /** Ends the process without a word; the data folder stays. */
  kill9(): Promise<void>;
  /** Sends SIGTERM; resolves with the exit code. */
  terminate(): Promise<number | null>;
  /** Sends a signal without waiting; `exited` resolves with the exit code. */
  signal(name: NodeJS.Signals): void;
  exited: Promise<number | null>;
  /** Ends the process and removes its folder. */
  stop(): Promise<void>;
}

export interface TaskTrace {
  task: { id: string; status: string; failure: { code: string } | null };
  attempts: {
    number: number;
    provider: string;
    state: string;
    claim: number;
    failureClass: string | null;
    finishedAt: number | null;
  }[];
  events: { seq: number; type: string }[];
}

export interface TestGatewayOptions {
  /** The configuration file's content. */
  config?: object;
  env?: Record<string, string>;
  /** Of `serve`, beside the configuration. */
  args?: readonly string[];
  /** A program with arguments that becomes the gateway's parent or its tracer. */
  under?: readonly string[];
  /** Reused: a restart on the same folder. */
  dataDir?: string;
}

/** `TEST_ENGINE=postgres`: every data folder gets a database of its own beside it. */
export const isOnPostgres = process.env['TEST_ENGINE'] === 'postgres';
const databases = new Map<string, Promise<string>>();

export async function engineSettings(dataDir: string): Promise<Record<string, string>> {
  if (!isOnPostgres) return {};
  const database = databases.get(dataDir) ?? makeDatabase();
  databases.set(dataDir, database);
  return { DATABASE_URL: await database };
}

const running = new Set<ChildProcess>();
const folders = new Set<string>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A data folder that is gone when the tests are. */
export async function makeDataDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'runapi-test-'));
  folders.add(folder);
  return folder;
}

async function spawnGateway(options: TestGatewayOptions, dataDir: string) {
  const configFile = join(dataDir, 'test.yaml');
  await writeFile(configFile, stringify(options.config ?? {}));
  const command = [...(options.under ?? []), process.execPath, MAIN, 'serve', '--json'];
  const [program = '', ...args] = [...command, '--config', configFile, ...(options.args ?? [])];
  const child = spawn(program, args, {
    env: {
      PATH: process.env['PATH'],
      RUNAPI_GATEWAY_PORT: '0',
      RUNAPI_GATEWAY_DATA_DIR: dataDir,
      RUNAPI_GATEWAY_BOOTSTRAP_KEY: TEST_KEY,
      RUNAPI_GATEWAY_LOG_LEVEL: 'warn',
      ...(await engineSettings(dataDir)),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  void exited.then(() => running.delete(child));
  return { child, exited };
}

/** Starts a gateway on a folder and kills it after so many milliseconds, wherever its start has got to. */
export async function crashAtStart(
  options: TestGatewayOptions & { dataDir: string },
  afterMs: number,
): Promise<void> {
  const { child, exited } = await spawnGateway(options, options.dataDir);
  await delay(afterMs);
  child.kill('SIGKILL');
  await exited;
}

/** Resolves when it takes work. */
export async function startGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const dataDir = options.dataDir ?? (await makeDataDir());
  const { child, exited } = await spawnGateway(options, dataDir);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  const { url } = await readReport(child, exited, () => stderr).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  await eventually(async () => {
    const { statusCode, body } = await request(`${url}/health/ready`);
    await body.dump();
    return statusCode === 200;
  });
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    return exited;
  };
  return {
    url,
    key: TEST_KEY,
    dataDir,
    pid: child.pid ?? 0,
    stderr: () => stderr,
    isRunning: () => running.has(child),
    trace: (taskId) =>
      isOnPostgres ? askCommand(dataDir, taskId) : readTrace(join(dataDir, 'control.sock'), taskId),
    audit: () =>
      runCommand(dataDir, ['audit', '--json']).then((text) => JSON.parse(text) as unknown),
    kill9: async () => void (await end('SIGKILL')),
    terminate: () => end('SIGTERM'),
    signal: (name) => void child.kill(name),
    exited,
    async stop() {
      if (running.has(child)) await end('SIGKILL');
      await rm(dataDir, { recursive: true, force: true });
      folders.delete(dataDir);
    },
  };
}

/** Runs a command of the gateway on a data folder; rejects with its words when the exit code is not 0. */
export async function runCommand(dataDir: string, args: readonly string[]): Promise<string> {
  const env = { RUNAPI_GATEWAY_DATA_DIR: dataDir, ...(await engineSettings(dataDir)) };
  const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args], { env });
  return stdout;
}

/** Without a socket: by the command line, which asks the database. */
async function askCommand(dataDir: string, taskId: string): Promise<TaskTrace> {
  return JSON.parse(await runCommand(dataDir, ['tasks', 'show', taskId, '--json'])) as TaskTrace;
}

async function readTrace(socketPath: string, taskId: string): Promise<TaskTrace> {
  const socket = new Client('http://control', { socketPath });
  try {
    const { statusCode, body } = await socket.request({ method: 'GET', path: `/tasks/${taskId}` });
    const text = await body.text();
    if (statusCode !== 200) throw new Error(`no trace of ${taskId}: ${text}`);
    return JSON.parse(text) as TaskTrace;
  } finally {
    await socket.close();
  }
}

async function readReport(
  child: ChildProcess,
  exited: Promise<number | null>,
  stderr: () => string,
): Promise<{ url: string }> {
  if (!child.stdout) throw new Error('the gateway has no stdout');
  const lines = createInterface({ input: child.stdout });
  const line = new Promise<string>((resolve) => lines.once('line', resolve));
  const timeout = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`no start in time: ${stderr()}`)), START_MS_MAX).unref();
  });
  const died = exited.then((code) => {
    throw new Error(`the gateway ended with ${code} instead of starting: ${stderr()}`);
  });
  return JSON.parse(await Promise.race([line, died, timeout])) as { url: string };
}
