// Ten thousand tasks under way at once on one node, answered by the upstream after 18 to 22 seconds.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '../test/support/client.ts';
import { concurrently } from '../test/support/concurrently.ts';
import { makeDataDir, startGateway } from '../test/support/gateway.ts';
import { startScripted } from '../test/support/scripted.ts';
import { rssMb } from './start.ts';

const LOOP_DELAY = fileURLToPath(new URL('./loop-delay.ts', import.meta.url));

export interface InFlightRow {
  name: string;
  tasks: number;
  completed: number;
  /** From the first create to the last end. */
  seconds: number;
  /** Of the gateway's event loop. */
  loopP99Ms: number;
  rssMb: number;
}

export async function measureInFlight(
  name: string,
  tasks: number,
  bytes: string,
): Promise<InFlightRow> {
  const scripted = await startScripted('immediate');
  const dataDir = await makeDataDir();
  const delayFile = join(dataDir, 'loop-delay');
  const env = { NODE_OPTIONS: `--import=${LOOP_DELAY}`, LOOP_DELAY_FILE: delayFile };
  const gateway = await startGateway({ config: scripted.config, dataDir, env });
  const client = createClient(gateway);
  const body = { model: 'gpt-image-2', prompt: `x [[script: delay=18000-22000 bytes=${bytes}]]` };
  const startedAt = performance.now();
  const ids = await concurrently(Array.from({ length: tasks }), 128, async () => {
    const { body: created } = await client.post('/v1/text_to_image', body);
    return created.id;
  });
  let rss = 0;
  const watching = setInterval(async () => {
    rss = Math.max(rss, await rssMb(gateway.pid));
  }, 500);
  const ends = await concurrently(ids, 256, (id) => client.until(id, 240_000));
  const seconds = (performance.now() - startedAt) / 1_000;
  clearInterval(watching);
  await client.close();
  await gateway.terminate();
  const loopP99Ms = Number(await readFile(delayFile, 'utf8'));
  await gateway.stop();
  await scripted.server.stop();
  const completed = ends.filter(({ status }) => status === 'completed').length;
  return { name, tasks, completed, seconds, loopP99Ms, rssMb: rss };
}
