import fc from 'fast-check';
import { expect, it } from 'vitest';
import { findJsonMistake } from './json-mistake.ts';

it.each([
  ['{"a":1,}', 7],
  ['{"a":}', 5],
  ['{a:1}', 1],
  ["{'a':1}", 1],
  ['{"a" 1}', 5],
  ['[1 2]', 3],
  ['{"a":1', 6],
  ['{"a":"b', 7],
  ['{"a":"b\n"}', 7],
  ['"\\x"', 1],
  ['{} x', 3],
  ['nul', 0],
  ['[01]', 2],
  ['{"a":1}}', 7],
  ['', 0],
])('%j goes wrong at %d', (text, at) => {
  expect(findJsonMistake(text)).toBe(at);
});

it('a text is JSON up to the mistake: whatever is cut or broken, it is found within the text', () => {
  fc.assert(
    fc.property(
      fc.json(),
      fc.nat(),
      fc.constantFrom('}', ']', ',', ':', '"', 'x', '\n'),
      (json, at, mark) => {
        const index = at % (json.length + 1);
        const text = json.slice(0, index) + mark + json.slice(index);
        const found = findJsonMistake(text);
        expect(found).toBeLessThanOrEqual(text.length);
      },
    ),
  );
});
