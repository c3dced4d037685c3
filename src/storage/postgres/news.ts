// Progress and previews on their way to callers who listen at another node. They are a courtesy: the latest counts,
// and what does not fit is left out.
import type { LiveNews } from '../../domain/events/hub.ts';

export const NEWS_CHANNEL = 'gateway_news';
/** As often as a caller is told of progress at most. */
const FLUSH_MS = 500;
/** PostgreSQL takes 8,000. */
const PAYLOAD_BYTES_MAX = 7_000;
const PAYLOADS_MAX = 8;

export interface CarriedNews {
  taskId: string;
  news: LiveNews;
}

export interface NewsCarrier {
  tell(taskId: string, news: LiveNews): void;
  stop(): void;
}

export function createNewsCarrier(
  origin: string,
  send: (payloads: readonly string[]) => Promise<void>,
): NewsCarrier {
  const waiting = new Map<string, CarriedNews>();
  let timer: NodeJS.Timeout | null = null;
  const flush = () => {
    timer = null;
    const payloads = pack([...waiting.values()], origin);
    waiting.clear();
    // Nobody waits for it, and the next progress makes up for it.
    void send(payloads).catch(() => {});
  };
  return {
    tell(taskId, news) {
      const key = news.kind === 'partial' ? `${taskId} ${news.index}` : taskId;
      waiting.set(key, { taskId, news });
      timer ??= setTimeout(flush, FLUSH_MS);
    },
    stop() {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** As few payloads as they fit in, at most `PAYLOADS_MAX`. */
export function pack(all: readonly CarriedNews[], origin: string): readonly string[] {
  const payloads: string[] = [];
  let lines: string[] = [origin];
  let bytes = origin.length;
  for (const one of all) {
    const line = JSON.stringify(one);
    if (bytes + line.length + 1 > PAYLOAD_BYTES_MAX) {
      payloads.push(lines.join('\n'));
      lines = [origin];
      bytes = origin.length;
    }
    lines.push(line);
    bytes += line.length + 1;
  }
  if (lines.length > 1) payloads.push(lines.join('\n'));
  return payloads.slice(0, PAYLOADS_MAX);
}

/** Nothing of what this node said itself. */
export function unpack(payload: string, origin: string): readonly CarriedNews[] {
  const [from, ...lines] = payload.split('\n');
  return from === origin ? [] : lines.map((line) => JSON.parse(line) as CarriedNews);
}
