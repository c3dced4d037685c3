import { setTimeout as delay } from 'node:timers/promises';

/** Waits until the condition holds; throws, with its last error, when it does not in time. */
export async function eventually(
  condition: () => Promise<boolean> | boolean,
  timeoutMs = 30_000,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  let last: unknown = null;
  for (let waitMs = 10; ; waitMs = Math.min(waitMs * 2, 250)) {
    try {
      if (await condition()) return;
      last = null;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error('the condition did not hold in time', { cause: last });
    await delay(waitMs);
  }
}
