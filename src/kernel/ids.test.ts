import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeToken, makeUuid, parseTaskId, uuidToTaskId } from './ids.ts';

describe('task ids', () => {
  it('both spellings name the same task, in any case', () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        const taskId = uuidToTaskId(uuid);
        expect(taskId).toMatch(/^tsk_[0-9a-hjkmnp-tv-z]{26}$/);
        for (const text of [uuid, uuid.toUpperCase(), taskId, taskId.toUpperCase()]) {
          expect(parseTaskId(text)).toBe(uuid);
        }
      }),
    );
  });

  it.each([
    '',
    'tsk_',
    'tsk_abc123',
    `tsk_${'u'.repeat(26)}`,
    `tsk_${'z'.repeat(26)}`,
    `tsk_${'0'.repeat(27)}`,
    '281e5b0f6f0d4b399f0a0c2f6d1f39b9',
    '281e5b0f-6f0d-4b39-9f0a-0c2f6d1f39bg',
  ])('%j is neither spelling', (text) => {
    expect(parseTaskId(text)).toBeNull();
  });

  it('are UUIDv7 and sort by time', () => {
    const earlier = makeUuid(1_700_000_000_000);
    const later = makeUuid(1_700_000_000_001);
    expect(earlier).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
    expect(earlier < later).toBe(true);
  });

  it('URL tokens hold at least 128 random bits and never repeat', () => {
    const tokens = new Set(Array.from({ length: 1000 }, makeToken));
    expect(tokens.size).toBe(1000);
    for (const token of tokens) expect(token.length * 6).toBeGreaterThanOrEqual(128);
  });
});

it('ids of one millisecond keep the order in which they were made', () => {
  const ids = Array.from({ length: 1_000 }, () => makeUuid(1_700_000_000_000));
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(1_000);
});
