import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { createEngine, EngineError, type EngineRequest } from './index.ts';

const engine = createEngine({ threads: 2 });
afterAll(() => engine.stop());

const request = (changes: Partial<EngineRequest> = {}): EngineRequest => ({
  prompt: 'a glass perfume bottle, the label reads AURORA',
  width: 96,
  height: 128,
  background: 'opaque',
  seed: 1,
  sources: [],
  format: 'png',
  ...changes,
});

const render = (changes: Partial<EngineRequest> = {}, signal = new AbortController().signal) =>
  engine.render(request(changes), { signal, onProgress: () => {} });

const pixelsOf = (bytes: Uint8Array) => sharp(bytes).ensureAlpha().raw().toBuffer();

function meanDifference(a: Buffer, b: Buffer): number {
  let sum = 0;
  for (let at = 0; at < a.length; at += 1) sum += Math.abs((a[at] ?? 0) - (b[at] ?? 0));
  return sum / a.length;
}

const PROMPTS = [
  'a perfume bottle, the label reads AURORA',
  'a red apple',
  'a cup of coffee',
  'a blue box that reads "GIFT"',
  'a green ball',
  'a poster that says "極光 SALE"',
  'a mountain landscape at sunset',
  'a dragon',
];

describe('a picture', () => {
  it.each([
    [592, 1776],
    [1776, 592],
    [97, 101],
    [256, 64],
  ])('has exactly the asked size, %d x %d', async (width, height) => {
    const { bytes } = await render({ width, height });
    expect(await sharp(bytes).metadata()).toMatchObject({ width, height, format: 'png' });
  });

  it.each(PROMPTS)(
    'of %s has no holes when opaque, and see-through corners when transparent',
    async (prompt) => {
      const opaque = await pixelsOf((await render({ prompt })).bytes);
      expect(opaque.filter((_, at) => at % 4 === 3).every((alpha) => alpha === 255)).toBe(true);
      const clear = await pixelsOf((await render({ prompt, background: 'transparent' })).bytes);
      // A landscape's ground is its subject and fills the lower edge.
      const lower = prompt.includes('landscape') ? [] : [127 * 96, 127 * 96 + 95];
      const corners = [0, 95, ...lower].map((pixel) => clear[pixel * 4 + 3]);
      expect(corners.every((alpha) => alpha === 0)).toBe(true);
      expect(clear.filter((_, at) => at % 4 === 3).some((alpha) => alpha > 200)).toBe(true);
    },
  );

  it('is the same for the same seed and another for another', async () => {
    const [one, again, other] = await Promise.all(
      [1, 1, 700].map(async (seed) => pixelsOf((await render({ seed })).bytes)),
    );
    expect(meanDifference(one!, again!)).toBeLessThan(2);
    expect(meanDifference(one!, other!)).toBeGreaterThan(2);
  });

  it('comes in the asked format; a JPEG has no alpha', async () => {
    for (const format of ['webp', 'jpeg'] as const) {
      const { bytes, contentType } = await render({ format, background: 'transparent' });
      expect(contentType).toBe(`image/${format}`);
      expect((await sharp(bytes).metadata()).format).toBe(format);
    }
  });

  it('says of itself what made it', async () => {
    const { exif } = await sharp((await render()).bytes).metadata();
    expect(exif?.toString('latin1')).toContain('not GPT Image');
  });

  it('names what it did not draw', async () => {
    const { notes } = await render({ prompt: 'a knight riding a dragon' });
    expect(notes.map(({ code }) => code)).toEqual(['not_drawn', 'abstract_form']);
    expect(notes[0]?.message).toContain('dragon');
  });

  it('reports rising progress and one preview', async () => {
    const seen: number[] = [];
    let previews = 0;
    await engine.render(request({ width: 400, height: 400 }), {
      signal: new AbortController().signal,
      onProgress: (fraction) => seen.push(fraction),
      onPartial: () => {
        previews += 1;
      },
    });
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
    expect(previews).toBe(1);
  });
});

describe('stopping', () => {
  it('ends a running and a waiting render at once, and the next one works', async () => {
    const stop = new AbortController();
    const running = render({ width: 1600, height: 1600 }, stop.signal);
    const waiting = render({}, stop.signal);
    setTimeout(() => stop.abort(), 300);
    for (const render of [running, waiting]) {
      await expect(render).rejects.toMatchObject({ code: 'aborted' });
    }
    expect((await render()).bytes.length).toBeGreaterThan(100);
  });
});

describe('an edit', () => {
  const photo = () =>
    sharp({ create: { width: 120, height: 90, channels: 3, background: '#ffffff' } })
      .composite([
        {
          input: { create: { width: 50, height: 50, channels: 3, background: '#cc2211' } },
          top: 20,
          left: 35,
        },
      ])
      .png()
      .toBuffer();

  it.each([
    'make it black and white',
    'blur it',
    'make it brighter',
    'a pencil sketch',
    'pixel art',
    'sepia please',
    'flip it',
    'make it blue',
    'change the text to "HELLO"',
    'add a dragon',
    '變成黑白',
  ])('%s visibly changes the source, at the asked size', async (prompt) => {
    const source = await photo();
    const { bytes } = await render({ prompt, sources: [source], width: 128, height: 96 });
    const before = await sharp(source)
      .resize(128, 96, { fit: 'cover' })
      .ensureAlpha()
      .raw()
      .toBuffer();
    const after = await pixelsOf(bytes);
    expect(after).toHaveLength(before.length);
    expect(meanDifference(before, after)).toBeGreaterThan(0.5);
  });

  it('that is not understood says so', async () => {
    const { notes } = await render({ prompt: 'add a dragon', sources: [await photo()] });
    expect(notes.map(({ code }) => code)).toEqual(['not_applied']);
  });

  it('cuts the subject out of a plain backdrop', async () => {
    const { bytes } = await render({
      prompt: 'remove the background',
      background: 'transparent',
      sources: [await photo()],
      width: 120,
      height: 90,
    });
    const pixels = await pixelsOf(bytes);
    const alphaAt = (x: number, y: number) => pixels[(y * 120 + x) * 4 + 3];
    expect([alphaAt(2, 2), alphaAt(117, 87), alphaAt(60, 45)]).toEqual([0, 0, 255]);
  });

  it('leaves what the mask covers as it was', async () => {
    const mask = await sharp({
      create: { width: 120, height: 90, channels: 4, background: '#000000' },
    })
      .composite([
        {
          input: { create: { width: 60, height: 90, channels: 4, background: '#ffffff' } },
          top: 0,
          left: 0,
          blend: 'dest-out',
        },
      ])
      .png()
      .toBuffer();
    const source = await photo();
    const { bytes } = await render({
      prompt: 'invert it',
      sources: [source],
      mask,
      width: 120,
      height: 90,
    });
    const pixels = await pixelsOf(bytes);
    const redAt = (x: number) => pixels[(5 * 120 + x) * 4] ?? -1;
    expect(redAt(10)).toBeLessThan(10);
    expect(redAt(110)).toBeGreaterThan(245);
  });

  it('of something unreadable is refused as such', async () => {
    const refused = render({ sources: [Buffer.from('no picture')] });
    await expect(refused).rejects.toBeInstanceOf(EngineError);
    await expect(refused).rejects.toMatchObject({ code: 'unreadable_source' });
  });
});
