// How long after a task's completion its waiters know: event stream and long-poll, scripted provider.
import { createClient, readEvents } from '../test/support/client.ts';
import type { TestGateway } from '../test/support/gateway.ts';
import { quantile } from './load.ts';

export interface NoticeRow {
  name: string;
  medianMs: number;
  p99Ms: number;
}

/** The gateway's own finishing time and our receiving time are read from one clock: one machine. */
export async function measureNotice(gateway: TestGateway, tasks: number): Promise<NoticeRow[]> {
  const client = createClient(gateway);
  const body = { model: 'gpt-image-2', prompt: 'x [[script: delay=150-250 bytes=64x64]]' };
  const waits: number[] = [];
  const streams: number[] = [];
  for (let i = 0; i < tasks; i += 1) {
    const { body: task } = await client.post('/v1/text_to_image', body);
    const waiting = client.get(`/v1/tasks/${task.id}?wait=30`).then(({ body: ended }) => ({
      at: Date.now(),
      finishedAt: Date.parse(String((ended as { finished_at?: string }).finished_at)),
    }));
    const streaming = readEvents(task.urls?.events ?? '', gateway.key).then(() => Date.now());
    const [waited, streamedAt] = await Promise.all([waiting, streaming]);
    waits.push(waited.at - waited.finishedAt);
    streams.push(streamedAt - waited.finishedAt);
  }
  await client.close();
  return [
    { name: 'long-poll', medianMs: quantile(waits, 0.5), p99Ms: quantile(waits, 0.99) },
    { name: 'event stream', medianMs: quantile(streams, 0.5), p99Ms: quantile(streams, 0.99) },
  ];
}
