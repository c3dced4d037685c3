import { describe, expect, it } from 'vitest';
import { readQuoted } from './quoted.ts';
import { readPrompt } from './read-prompt.ts';

describe('quoted words', () => {
  it.each([
    ['a poster that says "HELLO WORLD"', ['HELLO WORLD']],
    ["a sign 'OPEN' on a door", ['OPEN']],
    ['a “SALE” banner', ['SALE']],
    ['招牌寫著「極光」', ['極光']],
    ['海報寫著極光', ['極光']],
    ['海报写着：极光', ['极光']],
    ['『朝日』と書かれた箱', ['朝日']],
    ['the label reads AURORA in gold serif font', ['AURORA']],
    ['text: BIG SALE 50', ['BIG SALE 50']],
    ['change the text to HELLO', ['HELLO']],
    ['the title "One" and the caption "Two"', ['One', 'Two']],
    ["don't draw the cat's toy", []],
    ["the dogs' bowl and the cats' bowl", []],
    ['a 5" screen and a 7" tablet', []],
    ['a bottle that reads nothing', []],
    ['"AURORA", the label reads AURORA', ['AURORA']],
    ['an empty "" quote', []],
  ])('%s', (prompt, expected) => {
    expect(readQuoted(prompt)).toEqual(expected);
  });
});

describe('subjects', () => {
  it.each([
    ['a glass perfume bottle', 'bottle'],
    ['香水瓶，大理石桌面', 'bottle'],
    ['a red apple on wood', 'apple'],
    ['三顆蘋果', 'apple'],
    ['a cup of coffee', 'cup'],
    ['一杯咖啡', 'cup'],
    ['a gift box', 'box'],
    ['a glossy sphere', 'ball'],
    ['a knight riding a dragon', null],
    ['a pineapple', null],
    ['footballs', null],
    ['a sign that reads "apple"', null],
  ])('%s', (prompt, expected) => {
    expect(readPrompt(prompt).subject).toBe(expected);
  });

  it('what is not drawn is named, and lettered words are not', () => {
    const { notDrawn, texts } = readPrompt('a knight riding a dragon, the banner reads "BRAVE"');
    expect(notDrawn).toEqual(['knight', 'riding', 'dragon']);
    expect(texts).toEqual(['BRAVE']);
  });

  it('the longest prompt is read at once', () => {
    const startedAt = performance.now();
    for (const piece of ['"a ', "'a ", 'text ', '「', 'A ', 'reads A']) {
      readPrompt(piece.repeat(32_000 / piece.length));
    }
    expect(performance.now() - startedAt).toBeLessThan(6_000);
  });
});
