// Hears what other nodes committed. While the connection is down nothing is heard, so everybody is told to look again
// once a second, and once more when it is back.
import pg from 'pg';
import { sleep } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import { type CarriedNews, NEWS_CHANNEL, unpack } from './news.ts';

export interface Changes {
  /** Ids of tasks whose rows changed; `all`: any may have. */
  taskIds: readonly string[] | 'all';
  /** There is new work to claim. */
  isNewWork: boolean;
}

const BLIND_MS = 1_000;
const EVERYTHING: Changes = { taskIds: 'all', isNewWork: true };

export function startListener(options: {
  url: string;
  /** Announcements under this name are our own. */
  origin: string;
  log: Logger;
  onChanges: (changes: Changes) => void;
  onNews: (news: CarriedNews) => void;
}): { stop(): Promise<void> } {
  const { url, origin, log, onChanges, onNews } = options;
  const stopping = new AbortController();

  async function listen(): Promise<void> {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 5_000,
      keepAlive: true,
      application_name: 'runapi-gateway listener',
    });
    const ended = new Promise<void>((resolve) => {
      client.on('error', () => resolve());
      client.on('end', () => resolve());
      stopping.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    try {
      client.on('notification', ({ channel, payload = '' }) => {
        if (channel === NEWS_CHANNEL) {
          for (const news of unpack(payload, origin)) onNews(news);
          return;
        }
        const changes = readPayload(payload, origin);
        if (changes) onChanges(changes);
      });
      await client.connect();
      await client.query(`LISTEN gateway_changes; LISTEN ${NEWS_CHANNEL}`);
      // What was committed before this was not heard.
      onChanges(EVERYTHING);
      await ended;
    } finally {
      await client.end().catch(() => {});
    }
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await listen().catch((error: unknown) => {
        log.warn({ err: error }, 'the connection that hears of other nodes is down');
      });
      await sleep(BLIND_MS, stopping.signal);
      if (!stopping.signal.aborted) onChanges(EVERYTHING);
    }
  }

  const running = loop();
  return {
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** `<origin> <id> +<id> …` or `<origin> *`; null: our own. */
export function readPayload(payload: string, origin: string): Changes | null {
  const [from, ...words] = payload.split(' ');
  if (from === origin) return null;
  if (words[0] === '*') return EVERYTHING;
  return {
    taskIds: words.map((word) => word.replace('+', '')),
    isNewWork: words.some((word) => word.startsWith('+')),
  };
}
