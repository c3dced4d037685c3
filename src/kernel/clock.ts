// Time comes in as an argument everywhere else; this file is where it enters.

export interface Clock {
  /** Wall time in integer milliseconds since the epoch; never runs backwards within a process. */
  now(): number;
  /** Monotonic milliseconds, for durations and leases; unrelated to wall time. */
  monotonic(): number;
}

/** Wall time anchored once at start and advanced by the monotonic clock, so a clock step cannot reorder rows. */
export function createSystemClock(): Clock {
  const anchor = Date.now() - performance.now();
  return {
    now: () => Math.floor(anchor + performance.now()),
    monotonic: () => performance.now(),
  };
}

/** Resolves after `ms`, or at once when `signal` aborts; never rejects. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}
