// Two hundred tasks of every kind, sent to a gateway that may die at any moment, and what a caller knows of
// each afterwards.
import type { Client, TaskBody } from '../support/client.ts';
import { concurrently } from '../support/concurrently.ts';
import type { Random } from '../support/random.ts';

/** By model, so that one gateway runs all forms at once: see `routes` of the test. */
export const MODELS = ['gpt-image-2', 'gpt-image-2.5-flare', 'gpt-4o-image'] as const;

const OUTCOMES = [
  ...Array.from({ length: 10 }, () => 'ok'),
  'moderation',
  'try_later,ok',
  'bad_response,ok',
  'reset,ok',
  'reset_midway,ok',
];
const LANES = 40;

export interface SentTask {
  requestId: string;
  /** Null: sent without a key, so it cannot be sent again. */
  key: string | null;
  body: { model: string; prompt: string };
  outcome: string;
  /** Known from an answer with status 200; null: the process died under the request. */
  id: string | null;
  /** `yes`: the answer said so; `maybe`: no answer came. */
  canceled: 'no' | 'maybe' | 'yes';
}

export function planTasks(random: Random, name: string, count: number): SentTask[] {
  return Array.from({ length: count }, (_, index) => {
    const model = random.pick(MODELS);
    const outcome = random.pick(OUTCOMES);
    const script = `delay=0-2500 progress=2 outcome=${outcome} retry_after_ms=100`;
    const fields = model === 'gpt-4o-image' ? { output_count: 4, aspect_ratio: '3:2' } : {};
    const requestId = `${name}-${index}`;
    return {
      requestId,
      key: random.chance(0.8) ? `key-${requestId}` : null,
      body: { model, prompt: `task ${requestId} [[script: ${script}]]`, ...fields },
      outcome,
      id: null,
      canceled: 'no',
    };
  });
}

/** Creates them all, re-sends some, cancels some; what gets no answer is left as it is. */
export async function sendTasks(
  client: Client,
  random: Random,
  tasks: readonly SentTask[],
): Promise<void> {
  const plans = tasks.map((task) => ({
    task,
    isSentTwice: random.chance(0.15),
    isCanceled: random.chance(0.1),
  }));
  await concurrently(plans, LANES, async ({ task, isSentTwice, isCanceled }) => {
    await createTask(client, task).catch(() => {});
    if (isSentTwice && task.key !== null) await createTask(client, task).catch(() => {});
    if (isCanceled && task.id !== null) await cancelTask(client, task, task.id).catch(() => {});
  });
}

/** Throws when there is no answer, or when a re-sent create is answered with another task. */
export async function createTask(client: Client, task: SentTask): Promise<TaskBody> {
  const answer = await client.post('/v1/text_to_image', task.body, {
    'x-client-request-id': task.requestId,
    ...(task.key === null ? {} : { 'idempotency-key': task.key }),
  });
  if (answer.status !== 200) throw new Error(`a create was answered ${answer.status}`);
  if (task.id !== null && task.id !== answer.body.id) {
    throw new Error(`${task.requestId} is both ${task.id} and ${answer.body.id}`);
  }
  task.id = answer.body.id;
  return answer.body;
}

async function cancelTask(client: Client, task: SentTask, id: string): Promise<void> {
  task.canceled = 'maybe';
  const { body } = await client.post(`/v1/tasks/${id}/cancel`, {});
  task.canceled = body.error_code === 'canceled' ? 'yes' : 'no';
}
