// `node --import` of this file writes the event loop's p99 delay, in milliseconds, to LOOP_DELAY_FILE at the end. What
// happened before the first second, while the process starts, does not count.
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const file = process.env['LOOP_DELAY_FILE'];
if (file && isMainThread) {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  setTimeout(() => delay.enable(), 1_000).unref();
  process.on('exit', () => writeFileSync(file, String(delay.percentile(99) / 1e6)));
}
