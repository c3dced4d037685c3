import { expect, it } from 'vitest';
import { centsToMicroCents, microCentsToUsd, toMicroCents } from './money.ts';

it('whole cents become exact dollars', () => {
  for (const [cents, dollars] of [
    [6, 0.06],
    [10, 0.1],
    [16, 0.16],
    [22, 0.22],
  ] as const) {
    expect(microCentsToUsd(centsToMicroCents(cents))).toBe(dollars);
  }
});

it.each([-1, 0.5, Number.NaN, 2 ** 60])('%d is no amount of money', (value) => {
  expect(() => toMicroCents(value)).toThrow(RangeError);
});
