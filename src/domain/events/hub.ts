// The one place where news of tasks meets those who wait for it: SSE, long-polls, later webhooks.
// In-process only; the truth is in the store. News may be lost, so listeners re-read what they care about.

export type TaskNews =
  /** The task's row changed; read it. */
  | { kind: 'state' }
  /** 0..1, not stored. */
  | { kind: 'progress'; fraction: number }
  /** A preview, for a short time under `/outputs/partial/<token>.<ext>`. */
  | { kind: 'partial'; index: number; path: string; contentType: string };

/** What is not stored, and so must be carried to those who listen elsewhere. */
export type LiveNews = Exclude<TaskNews, { kind: 'state' }>;

export interface EventHub {
  /** Tells listeners here, and the relay to other nodes where there is one. */
  publish(taskId: string, news: TaskNews): void;
  /** Tells listeners here what another node said. */
  receive(taskId: string, news: TaskNews): void;
  onLiveNews(relay: (taskId: string, news: LiveNews) => void): void;
  /** Any task's row may have changed: all who listen shall look. */
  publishAll(): void;
  /** Returns the function that ends the subscription. */
  subscribe(taskId: string, listener: (news: TaskNews) => void): () => void;
  /** Says that there may be work to claim. */
  nudge(): void;
  onNudge(listener: () => void): () => void;
}

export function createEventHub(): EventHub {
  const listeners = new Map<string, Set<(news: TaskNews) => void>>();
  const workers = new Set<() => void>();
  const relays: ((taskId: string, news: LiveNews) => void)[] = [];
  const receive = (taskId: string, news: TaskNews) => {
    for (const listener of listeners.get(taskId) ?? []) listener(news);
  };
  return {
    receive,
    publish(taskId, news) {
      receive(taskId, news);
      if (news.kind !== 'state') for (const relay of relays) relay(taskId, news);
    },
    onLiveNews: (relay) => relays.push(relay),
    publishAll() {
      for (const set of listeners.values()) for (const listener of set) listener({ kind: 'state' });
    },
    subscribe(taskId, listener) {
      const set = listeners.get(taskId) ?? new Set();
      listeners.set(taskId, set);
      set.add(listener);
      return () => {
        set.delete(listener);
        if (set.size === 0) listeners.delete(taskId);
      };
    },
    nudge() {
      for (const worker of workers) worker();
    },
    onNudge(listener) {
      workers.add(listener);
      return () => workers.delete(listener);
    },
  };
}
