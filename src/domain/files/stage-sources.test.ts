import { describe, expect, it } from 'vitest';
import { decodeDataUrl } from './stage-sources.ts';

const text = (url: string) => {
  const bytes = decodeDataUrl(url);
  return bytes && Buffer.from(bytes).toString('latin1');
};

describe('a data: URL', () => {
  it.each([
    ['data:image/png;base64,aGVsbG8=', 'hello'],
    ['data:;base64,aGVsbG8', 'hello'],
    ['data:image/png;charset=x;base64,aGVs%62G8%3D', 'hello'],
    ['DATA:image/png;BASE64,aGVsbG8=', 'hello'],
    ['data:text/plain,a%20b', 'a b'],
    ['data:,', ''],
  ])('%s is read', (url, expected) => {
    expect(text(url)).toBe(expected);
  });

  it.each(['data:image/png;base64', 'data:text/plain,%zz', 'data:;base64,%'])(
    '%s is malformed',
    (url) => {
      expect(text(url)).toBeNull();
    },
  );
});
