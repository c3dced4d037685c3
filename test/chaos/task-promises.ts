// What must hold for a task whatever happened to the process on its way.
import { createHash } from 'node:crypto';
import { request } from 'undici';
import { expect } from 'vitest';
import type { CreateRecord } from '../../src/providers/scripted/server.ts';
import type { TaskBody } from '../support/client.ts';
import type { TaskTrace } from '../support/gateway.ts';
import type { SentTask } from './task-load.ts';

const REPEATABLE_MODEL = 'gpt-4o-image';
/** The upstream may have made a picture in these. */
const BILLED_CLASSES = ['bad_response', 'uncertain'];

type Attempt = TaskTrace['attempts'][number];

export interface Evidence {
  task: TaskBody;
  trace: TaskTrace;
  creates: readonly CreateRecord[];
}

/** Exactly one end, told once, by a legal path. */
export function expectOneEnd({ task, trace }: Evidence): void {
  const types = trace.events.map(({ type }) => type);
  expect(['completed', 'failed']).toContain(task.status);
  expect(types.filter((type) => /completed|failed/.test(type))).toEqual([`task.${task.status}`]);
  expect(types[0]).toBe('task.pending');
  expect(types.at(-1)).toBe(`task.${task.status}`);
  const seqs = trace.events.map(({ seq }) => seq);
  expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
}

/** The attempt log knows of every create, and none is repeated but as the rules allow. */
export function expectHonestAttempts(sent: SentTask, { task, trace, creates }: Evidence): void {
  const { attempts } = trace;
  const numbers = new Set(attempts.map(({ number }) => number));
  expect(creates.filter(({ attempt }) => !numbers.has(attempt))).toEqual([]);
  const paid = creates.filter(({ isRepeat }) => !isRepeat);
  const perAttempt = new Set(paid.map(({ attempt }) => attempt));
  expect(paid.length, 'an attempt is sent once').toBe(perAttempt.size);
  if (sent.body.model === REPEATABLE_MODEL) {
    expect(attempts.filter(({ state }) => state === 'uncertain')).toEqual([]);
  }
  expect(attempts.filter(isPossiblyBilled).length).toBeLessThanOrEqual(2);
  // A process that dies between a cancel and the end of its call leaves the attempt open.
  if (task.error_code === 'canceled') return;
  const open = attempts.filter(({ finishedAt }) => finishedAt === null);
  expect(open, 'no attempt is left open').toEqual([]);
}

function isPossiblyBilled({ state, failureClass }: Attempt): boolean {
  return state === 'succeeded' || BILLED_CLASSES.includes(failureClass ?? '');
}

/** It ended as its script says, unless the process died under a call that cannot be resumed twice. */
export function expectScriptedEnd(sent: SentTask, { task, trace }: Evidence): void {
  if (sent.canceled === 'yes') {
    expect(task.error_code).toBe('canceled');
    return;
  }
  if (sent.canceled === 'maybe' && task.error_code === 'canceled') return;
  const billed = trace.attempts.filter(({ failureClass }) =>
    BILLED_CLASSES.includes(failureClass ?? ''),
  );
  if (billed.length >= 2) {
    expect(['provider_error', 'upstream_bad_response']).toContain(task.error_code);
    return;
  }
  if (sent.outcome === 'moderation') expect(task.error_code).toBe('content_policy');
  else expect(task).toMatchObject({ status: 'completed' });
}

/** Every promised image is there, whole, of the promised size. */
export async function expectImages({ task }: Evidence): Promise<void> {
  if (task.status === 'failed') {
    expect(task.images).toBeUndefined();
    expect(task.usage).toBeUndefined();
    return;
  }
  const images = task.images ?? [];
  expect(images.length).toBeGreaterThan(0);
  expect(task.usage?.generated_images).toBe(images.length);
  for (const image of images) {
    expect(`${image.width}x${image.height}`).toBe(task.interpretation?.size);
    const answer = await request(image.url);
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    expect(answer.statusCode).toBe(200);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(image.sha256);
  }
}
