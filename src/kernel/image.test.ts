import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { inspectImage, normaliseImage } from './image.ts';

const make = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 4, background: '#336699' } });

describe('inspecting an image', () => {
  it('tells format and size of PNG, JPEG and WebP', async () => {
    const images = [
      await make(20, 10).png().toBuffer(),
      await make(20, 10).jpeg().toBuffer(),
      await make(20, 10).webp().toBuffer(),
    ];
    const facts = await Promise.all(images.map(inspectImage));
    expect(facts.map((fact) => fact?.format)).toEqual(['png', 'jpeg', 'webp']);
    for (const fact of facts) expect(fact).toMatchObject({ width: 20, height: 10 });
  });

  it('reads the size as shown when EXIF turns the picture', async () => {
    const turned = await make(20, 10).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    expect(await inspectImage(turned)).toMatchObject({ width: 10, height: 20 });
  });

  it('takes no other format, no truncated file, no declared bomb', async () => {
    const gif = await make(8, 8).gif().toBuffer();
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>');
    const whole = await sharp(Buffer.alloc(64 * 64 * 3, 7), {
      raw: { width: 64, height: 64, channels: 3 },
    })
      .png({ compressionLevel: 0 })
      .toBuffer();
    const truncated = whole.subarray(0, whole.length / 2);
    const bomb = await sharp({
      create: { width: 8000, height: 8000, channels: 3, background: '#000' },
    })
      .png()
      .toBuffer();
    for (const bytes of [gif, svg, truncated, bomb, Buffer.alloc(0), Buffer.from('PNG')]) {
      expect(await inspectImage(bytes)).toBeNull();
    }
  });
});

describe('normalising an image', () => {
  it('keeps bytes that are right already, to the byte', async () => {
    const bytes = await make(20, 10).withMetadata().png().toBuffer();
    const kept = await normaliseImage(bytes, { width: 20, height: 10 }, 'png');
    expect(kept?.bytes).toBe(bytes);
    expect(kept?.processed).toEqual([]);
  });

  it('brings size and format to what was promised and says so', async () => {
    const bytes = await make(20, 10).jpeg().toBuffer();
    const changed = await normaliseImage(bytes, { width: 30, height: 30 }, 'png');
    expect(changed?.processed).toEqual(['resized', 'reencoded']);
    expect(await inspectImage(changed!.bytes)).toMatchObject({
      format: 'png',
      width: 30,
      height: 30,
    });
  });
});
