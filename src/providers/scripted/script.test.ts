import { describe, expect, it } from 'vitest';
import { inspectImage } from '../../kernel/image.ts';
import { solidPng } from './png.ts';
import { planMessages } from './schedule.ts';
import { readScript } from './script.ts';
import type { CreateMessage } from './wire.ts';

const create: CreateMessage = {
  taskId: 'task',
  attempt: 1,
  prompt: '',
  width: 32,
  height: 16,
  format: 'png',
  missing: [1, 2, 3],
  idempotencyKey: null,
};

const plan = async (token: string) => {
  const script = readScript(`[[script: ${token}]]`);
  const makeImage = async (_format: string, width: number, height: number) =>
    solidPng(width, height);
  const [outcome = 'ok'] = script.outcomes;
  const due = await planMessages(create, script, outcome, script.delayMs.max, makeImage);
  return due.map(({ atMs, message }) => [Math.round(atMs), message.kind, message]);
};

describe('a script', () => {
  it('is read from its token in the prompt', () => {
    const token =
      'delay=200-800 outcome=try_later,ok outputs=3 bytes=webp:64x48 progress=4 partials=1 retry_after_ms=90';
    expect(readScript(`a cat [[script: ${token}]] on a mat`)).toEqual({
      delayMs: { min: 200, max: 800 },
      outcomes: ['try_later', 'ok'],
      outputs: 3,
      format: 'webp',
      size: { width: 64, height: 48 },
      progress: 4,
      partials: 1,
      retryAfterMs: 90,
    });
  });

  it('that is absent asks for everything, at once', () => {
    expect(readScript('a cat')).toMatchObject({
      delayMs: { min: 0, max: 0 },
      outcomes: ['ok'],
      outputs: null,
      size: null,
    });
  });

  it.each(['outcome=fine', 'delay=soon', 'bytes=big', 'colour=red'])(
    'with %s is refused',
    (token) => {
      expect(() => readScript(`[[script: ${token}]]`)).toThrow('script');
    },
  );

  it('spreads progress, previews and images over its delay', async () => {
    const due = await plan('delay=300 progress=2 partials=1');
    expect(due.map(([atMs, kind]) => [atMs, kind])).toEqual([
      [100, 'progress'],
      [100, 'image'],
      [150, 'partial'],
      [200, 'progress'],
      [200, 'image'],
      [300, 'image'],
      [300, 'done'],
    ]);
  });

  it('delivers the missing outputs only, as many as it says', async () => {
    const images = (await plan('outputs=2')).map(([, , message]) => message);
    expect(images).toMatchObject([{ index: 1 }, { index: 2 }, { kind: 'done' }]);
  });
});

it.each([
  [1, 1],
  [64, 64],
  [2880, 2880],
  [1001, 7],
])('a PNG of %i x %i is a readable image of that size', async (width, height) => {
  const png = solidPng(width, height);
  expect(await inspectImage(png)).toMatchObject({ format: 'png', width, height });
  expect(png.length).toBeLessThan(4000);
});
