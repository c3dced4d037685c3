import { expect, it } from 'vitest';
import { readBackground } from './background.ts';

it.each([
  'product shot on transparent background',
  'A bottle, transparent background, studio lighting',
  'a logo with a transparent background',
  'transparent PNG of a cat',
  'an icon, background transparent',
  'the background should be transparent',
  'background: transparent',
  'sticker with transparency',
  'a logo with alpha channel',
  'isolated on transparent',
  'apple on transparency',
  'remove the background',
  'Remove background and add sunglasses',
  'please remove its background',
  'cut it out of the background',
  'a shoe without background',
  'no background',
  'TRANSPARENT  BACKGROUND',
  'see-through background',
  'transparent backdrop',
  '香水瓶，透明背景',
  '透明的背景，金色標誌',
  '背景透明',
  '背景要透明',
  '背景設為透明',
  '背景设为透明',
  '透明底的貼紙',
  '去背商品照',
  '幫我去背',
  '去掉背景',
  '移除背景',
  '不要背景',
  '無背景的圖示',
  '抠图',
  '透明な背景のロゴ',
  '背景を透明に',
  '背景透過のアイコン',
  '透過PNGで',
  'glass bottle, not blurry, transparent background',
  'no text, transparent background',
])('%s asks for transparency', (prompt) => {
  expect(readBackground(prompt)).toBe('transparent');
});

it.each([
  'a transparent glass on a table',
  'transparent glass bottle on marble',
  'a background of transparent curtains',
  'not transparent',
  'not a transparent background',
  'no transparent background',
  'without a transparent background',
  'do not use a transparent background',
  "don't make a transparent background",
  'instead of a transparent background use blue',
  'a sign that reads "transparent background"',
  '海報寫著「透明背景」',
  '透明玻璃瓶',
  '不要透明背景',
  '不是透明背景',
  '不需要透明背景',
  '別用透明背景',
  '一個透明的杯子',
  '背景は透明にしない',
  'blue background',
  'on transparent plastic film',
  '',
])('%s does not', (prompt) => {
  expect(readBackground(prompt)).toBe('opaque');
});

it('reads the longest prompt at once', () => {
  const hostile = ['transparent ', 'not a an the ', 'remove the ', '"', '不要', 'background '];
  for (const piece of hostile) {
    const prompt = piece.repeat(32_000 / piece.length);
    const startedAt = performance.now();
    readBackground(prompt);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  }
});
