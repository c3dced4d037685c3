// Checking and normalising image bytes with sharp. Decoders accept only PNG, JPEG and WebP.
import sharp, { type Metadata, type Sharp } from 'sharp';

export type ImageFormat = 'png' | 'jpeg' | 'webp';

export interface ImageFacts {
  format: ImageFormat;
  contentType: string;
  /** As a viewer shows it, EXIF orientation applied. */
  width: number;
  height: number;
}

export interface NormalisedImage extends ImageFacts {
  bytes: Uint8Array;
  /** Empty: the bytes are the ones given, metadata and C2PA included. */
  processed: ('resized' | 'reencoded')[];
}

/** Largest source or output the decoders take; a bomb declares more. */
export const PIXELS_MAX = 40_000_000;

const SHARP_OPTIONS = {
  limitInputPixels: PIXELS_MAX,
  failOn: 'error',
  sequentialRead: true,
} as const;

sharp.concurrency(1);

/** Null when the bytes are not a readable PNG, JPEG or WebP within the pixel limit. Decodes every pixel. */
export async function inspectImage(bytes: Uint8Array): Promise<ImageFacts | null> {
  if (sniffFormat(bytes) === null) return null;
  try {
    const image = sharp(bytes, SHARP_OPTIONS);
    const facts = toFacts(await image.metadata());
    // Shrinking to a few pixels reads every scan line without holding them all.
    await image.resize(8, 8, { fit: 'fill', fastShrinkOnLoad: false }).raw().toBuffer();
    return facts;
  } catch {
    return null;
  }
}

/**
 * The image at exactly `size` in `format`; bytes that are so already are kept. A pure scale where the ratio
 * is equal, else covered and cut at the centre. Null when the bytes are no readable image.
 */
export async function normaliseImage(
  bytes: Uint8Array,
  size: { width: number; height: number } | null,
  format: ImageFormat,
): Promise<NormalisedImage | null> {
  const facts = await inspectImage(bytes);
  if (!facts) return null;
  const isRightSize = !size || (facts.width === size.width && facts.height === size.height);
  if (isRightSize && facts.format === format) return { ...facts, bytes, processed: [] };
  let image = sharp(bytes, SHARP_OPTIONS).autoOrient();
  if (size && !isRightSize) {
    const isSameRatio = facts.width * size.height === facts.height * size.width;
    image = image.resize(size.width, size.height, {
      fit: isSameRatio ? 'fill' : 'cover',
      kernel: 'lanczos3',
    });
  }
  const encoded = await encode(image, format).toBuffer();
  return {
    bytes: encoded,
    format,
    contentType: `image/${format}`,
    width: size?.width ?? facts.width,
    height: size?.height ?? facts.height,
    processed: [
      ...(isRightSize ? [] : (['resized'] as const)),
      ...(facts.format === format ? [] : (['reencoded'] as const)),
    ],
  };
}

/** The format by magic bytes alone; null for all others. */
export function sniffFormat(bytes: Uint8Array): ImageFormat | null {
  const head = Buffer.from(bytes.subarray(0, 12));
  if (head.subarray(0, 8).equals(Buffer.from('89504e470d0a1a0a', 'hex'))) return 'png';
  if (head.length > 2 && head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return 'jpeg';
  const isRiff = head.toString('latin1', 0, 4) === 'RIFF';
  return isRiff && head.toString('latin1', 8, 12) === 'WEBP' ? 'webp' : null;
}

function toFacts(metadata: Metadata): ImageFacts {
  const { format } = metadata;
  if (format !== 'png' && format !== 'jpeg' && format !== 'webp') throw new Error('other format');
  const { width, height } = metadata.autoOrient;
  return { format, contentType: `image/${format}`, width, height };
}

function encode(image: Sharp, format: ImageFormat): Sharp {
  if (format === 'png') return image.png();
  if (format === 'webp') return image.webp({ quality: 90 });
  return image.flatten({ background: '#ffffff' }).jpeg({ quality: 92 });
}
