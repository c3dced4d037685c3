// Time from nothing to serving, and memory at rest.
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { startGateway } from '../test/support/gateway.ts';
import { median } from './load.ts';

export interface StartRow {
  coldStartMs: number;
  idleRssMb: number;
}

export async function measureStart(rounds: number): Promise<StartRow> {
  const starts: number[] = [];
  const sizes: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    const gateway = await startGateway();
    starts.push(performance.now() - startedAt);
    await delay(1_000);
    sizes.push(await rssMb(gateway.pid));
    await gateway.stop();
  }
  return { coldStartMs: median(starts), idleRssMb: median(sizes) };
}

/** Linux only; elsewhere not a number. */
export async function rssMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN) / 1024;
}
