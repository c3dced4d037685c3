// Runs inside the namespace: one scenario, then one line of JSON with what happened.
import { spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { visitPages } from './visit-pages.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const IDLE_MS = 60_000;
/** What somebody who uses a vendor has exported; none of it may be used unasked. */
const VENDOR = {
  OPENAI_API_KEY: 'sk-not-for-the-demo',
  OPENAI_BASE_URL: 'http://192.0.2.80/v1',
  RUNAPI_API_KEY: 'runapi_not_for_the_demo',
  RUNAPI_BASE_URL: 'http://192.0.2.81',
};

const [scenario = '', folder = ''] = process.argv.slice(2);
const scenarios: Record<string, () => Promise<object>> = {
  control: async () => ({
    ...(await counting(async () => void (await lookup('example.com').catch(() => null)))),
    connections: (await counting(() => connectTo('192.0.2.1'))).tries,
    connections6: (await counting(() => connectTo('2001:db8::1'))).tries,
  }),
  demo: () => counting(demo),
  idle: () => counting(() => withGateway(() => sleep(IDLE_MS))),
  pages: async () => {
    let visit: object = {};
    await withGateway(async ({ url }) => {
      visit = await visitPages(url);
    });
    return visit;
  },
};
console.log(JSON.stringify(await scenarios[scenario]?.()));

/** `tries`: connections and datagrams that found no route, IPv4 and IPv6, while `work` ran. */
async function counting(work: () => Promise<unknown>): Promise<{ tries: number }> {
  const before = countTries();
  const result = await work();
  return Object.assign({ tries: countTries() - before }, result);
}

function countTries(): number {
  const [names = '', values = ''] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Ip: '));
  const v4 = values.split(' ')[names.split(' ').indexOf('OutNoRoutes')];
  const v6 = /Ip6OutNoRoutes\s+(\d+)/.exec(readFileSync('/proc/net/snmp6', 'utf8'))?.[1];
  const tries = Number(v4) + Number(v6);
  if (!Number.isInteger(tries))
    throw new Error('this kernel does not count packets without a route');
  return tries;
}

function connectTo(host: string): Promise<void> {
  return new Promise((resolve) => {
    connect(80, host).once('error', () => resolve());
  });
}

async function demo(): Promise<{ exitCode: number | null; size: number[] }> {
  const picture = join(folder, 'demo.png');
  const child = spawn(process.execPath, [MAIN, 'demo', '--out', picture], {
    cwd: folder,
    env: { ...process.env, ...VENDOR },
    stdio: 'ignore',
  });
  const exitCode = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  const png = readFileSync(picture);
  return { exitCode, size: [png.readUInt32BE(16), png.readUInt32BE(20)] };
}

async function withGateway(use: (gateway: TestGateway) => Promise<unknown>): Promise<void> {
  const gateway = await startGateway({ env: VENDOR });
  try {
    await use(gateway);
    await gateway.terminate();
  } finally {
    await gateway.stop();
  }
}
