// Durable creates and status reads per second. The tasks wait in the upstream: what is measured is accepting.
import { createClient } from '../test/support/client.ts';
import type { TestGateway } from '../test/support/gateway.ts';
import { type LoadResult, median, runLoad } from './load.ts';

const LANES = [1, 32, 256] as const;

export interface LoadRow extends LoadResult {
  name: string;
}

/** Interleaved, so that a disturbance of the machine falls on all cells alike; medians of `rounds`. */
export async function measureCreateAndPoll(
  gateway: TestGateway,
  rounds: number,
  calls: number,
): Promise<LoadRow[]> {
  const headers = {
    authorization: `Bearer ${gateway.key}`,
    'content-type': 'application/json',
  };
  const client = createClient(gateway);
  const body = JSON.stringify({ model: 'gpt-image-2', prompt: 'x [[script: outcome=hang]]' });
  const { body: polled } = await client.post('/v1/text_to_image', body);
  await client.close();
  const cells = LANES.flatMap((lanes) => [
    {
      name: `create, ${lanes} callers`,
      run: () =>
        runLoad(lanes, lanes === 1 ? calls / 4 : calls, (index) => ({
          method: 'POST',
          url: `${gateway.url}/v1/text_to_image`,
          headers: { ...headers, 'idempotency-key': `${Math.random()}-${index}` },
          body,
        })),
    },
    {
      name: `status, ${lanes} callers`,
      run: () =>
        runLoad(lanes, lanes === 1 ? calls / 4 : calls, () => ({
          method: 'GET',
          url: `${gateway.url}/v1/tasks/${polled.id}`,
          headers,
        })),
    },
  ]);
  const results = new Map<string, LoadResult[]>(cells.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, run } of cells) results.get(name)?.push(await run());
  }
  return [...results].map(([name, list]) => ({
    name,
    perSecond: median(list.map(({ perSecond }) => perSecond)),
    p50Ms: median(list.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(list.map(({ p99Ms }) => p99Ms)),
  }));
}
