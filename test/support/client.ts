// A caller of the gateway, with the shapes that the tests look at.
import { Agent, request } from 'undici';

export interface Answer<Body = TaskBody> {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Body;
}

export interface TaskBody {
  id: string;
  task_id: string;
  status: string;
  model: string;
  task_replayed?: boolean;
  images?: { url: string; width: number; height: number; sha256: string; content_type: string }[];
  usage?: { cost: number; generated_images: number };
  error?: string | { code: string; message: string };
  error_code?: string;
  errors?: Record<string, string[]>;
  provider?: string | null;
  warnings?: { code: string; message: string }[];
  interpretation?: { size: string; background: string; aspect_ratio: string };
  urls?: { get: string; events: string; cancel: string };
  response?: { status: number; body: TaskBody };
  data?: TaskBody[];
  has_more?: boolean;
}

export interface Client {
  call(method: string, path: string, body?: unknown, headers?: object): Promise<Answer>;
  get(path: string, headers?: object): Promise<Answer>;
  post(path: string, body: unknown, headers?: object): Promise<Answer>;
  /** Polls until the task is terminal. */
  until(taskId: string, timeoutMs?: number): Promise<TaskBody>;
  close(): Promise<void>;
}

export const sizeOf = (answer: TaskBody) => answer.interpretation?.size;

export function createClient(gateway: { url: string; key: string }): Client {
  const dispatcher = new Agent({ connections: 256 });
  async function call(method: string, path: string, body?: unknown, headers: object = {}) {
    const answer = await request(path.startsWith('http') ? path : `${gateway.url}${path}`, {
      method: method as 'GET',
      dispatcher,
      headers: {
        authorization: `Bearer ${gateway.key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    const isJson = String(answer.headers['content-type']).includes('json');
    const parsed = (isJson && text !== '' ? JSON.parse(text) : {}) as TaskBody;
    return { status: answer.statusCode, headers: answer.headers, body: parsed };
  }
  return {
    call,
    get: (path, headers) => call('GET', path, undefined, headers),
    post: (path, body, headers) => call('POST', path, body, headers),
    async until(taskId, timeoutMs = 60_000) {
      const end = Date.now() + timeoutMs;
      for (;;) {
        const { body } = await call('GET', `/v1/tasks/${taskId}?wait=5`);
        if (body.status === 'completed' || body.status === 'failed') return body;
        if (Date.now() > end) throw new Error(`task ${taskId} is still ${body.status}`);
      }
    },
    close: () => dispatcher.destroy(),
  };
}

export interface StreamedEvent {
  id: string | null;
  event: string;
  data: Record<string, unknown>;
}

/** Reads an event stream to its end. */
export async function readEvents(
  url: string,
  key: string,
  headers: object = {},
): Promise<StreamedEvent[]> {
  const answer = await request(url, { headers: { authorization: `Bearer ${key}`, ...headers } });
  const text = await answer.body.text();
  return text
    .split('\n\n')
    .filter((message) => message.includes('event: '))
    .map((message) => {
      const field = (name: string) =>
        message
          .split('\n')
          .find((line) => line.startsWith(`${name}: `))
          ?.slice(name.length + 2);
      const data = JSON.parse(field('data') ?? '{}') as Record<string, unknown>;
      return { id: field('id') ?? null, event: field('event') ?? '', data };
    });
}
