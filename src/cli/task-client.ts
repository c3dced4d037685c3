// The demo is a client like any other: it speaks HTTP to the gateway it started.
import { request } from 'undici';

export interface CreatedTaskAnswer {
  id: string;
  task_id: string;
  urls: { get: string; events: string };
}

export interface TaskAnswer {
  status: string;
  error?: string;
  provider: string | null;
  warnings: { code: string; message: string }[];
  images?: { url: string; width: number; height: number; size_bytes: number }[];
  usage?: { cost: number };
}

export interface TaskClient {
  create(body: object): Promise<CreatedTaskAnswer>;
  /** Listens until the task's terminal event; `onProgress` gets 0..1. */
  follow(task: CreatedTaskAnswer, onProgress: (fraction: number) => void): Promise<TaskAnswer>;
  download(url: string): Promise<Uint8Array>;
}

export function createTaskClient(baseUrl: string, key: string): TaskClient {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return {
    async create(body) {
      const answer = await request(`${baseUrl}/v1/text_to_image`, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
      });
      if (answer.statusCode !== 200) {
        throw new Error(`The gateway answered ${answer.statusCode}: ${await answer.body.text()}`);
      }
      return (await answer.body.json()) as CreatedTaskAnswer;
    },
    async follow(task, onProgress) {
      const answer = await request(task.urls.events, { headers, bodyTimeout: 0 });
      let buffer = '';
      const decoder = new TextDecoder();
      for await (const chunk of answer.body) {
        buffer += decoder.decode(chunk as Uint8Array, { stream: true });
        const messages = buffer.split('\n\n');
        buffer = messages.pop() ?? '';
        for (const message of messages) {
          const { event, data } = parseMessage(message);
          if (event === 'task.progress') onProgress((data as { progress: number }).progress);
          if (event === 'task.completed' || event === 'task.failed') return data as TaskAnswer;
        }
      }
      throw new Error('The gateway ended the event stream before the task ended.');
    },
    async download(url) {
      const answer = await request(url);
      if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`);
      return new Uint8Array(await answer.body.arrayBuffer());
    },
  };
}

function parseMessage(message: string): { event: string; data: unknown } {
  const lines = message.split('\n');
  const value = (field: string) =>
    lines
      .filter((line) => line.startsWith(`${field}: `))
      .map((line) => line.slice(field.length + 2))
      .join('\n');
  const data = value('data');
  return { event: value('event'), data: data === '' ? null : JSON.parse(data) };
}
