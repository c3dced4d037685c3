// A bounded load over loopback: `lanes` callers, each with one request under way, for a fixed number of calls.
import { Agent, request } from 'undici';

export interface LoadResult {
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
}

export interface Call {
  method: 'GET' | 'POST';
  url: string;
  headers: Record<string, string>;
  body?: string;
}

export async function runLoad(
  lanes: number,
  calls: number,
  makeCall: (index: number) => Call,
): Promise<LoadResult> {
  const dispatcher = new Agent({ connections: lanes });
  const times: number[] = [];
  let next = 0;
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (let index = next++; index < calls; index = next++) {
        const { url, ...options } = makeCall(index);
        const sentAt = performance.now();
        const answer = await request(url, { ...options, dispatcher });
        await answer.body.dump();
        if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`);
        times.push(performance.now() - sentAt);
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  await dispatcher.destroy();
  return { perSecond: calls / seconds, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) };
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);
