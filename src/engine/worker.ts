// A thread of the engine: draws labels, traces rows, draws flat pictures, edits and encodes.
import { parentPort } from 'node:worker_threads';
import sharp from 'sharp';
import { applyEdit } from './edit/apply-edit.ts';
import { drawFlat } from './flat/flat.ts';
import type { EngineNote } from './index.ts';
import { drawLabel, drawLettering } from './lettering.ts';
import { buildScene, isSolid, LABELS, type SceneSpec } from './scenes/spec.ts';
import { renderRows } from './tracer/render-rows.ts';
import type { Decal } from './tracer/scene.ts';

export const BAND_ROWS = 16;

export interface Size {
  width: number;
  height: number;
}

export interface SharedBitmap extends Size {
  /** RGBA, shared between threads. */
  data: SharedArrayBuffer;
}

export type Format = 'png' | 'webp' | 'jpeg';

export type Job =
  | { kind: 'label'; spec: SceneSpec }
  | {
      kind: 'trace';
      spec: SceneSpec;
      label: SharedBitmap | null;
      picture: SharedBitmap;
      /** [next band, aborted, bands done], shared. */
      counters: SharedArrayBuffer;
    }
  | {
      kind: 'finish';
      spec: SceneSpec;
      picture: SharedBitmap;
      size: Size;
      format: Format;
      /** Lettering that has no label to stand on. */
      isLettered: boolean;
    }
  | { kind: 'flat'; spec: SceneSpec; size: Size; format: Format }
  | {
      kind: 'edit';
      prompt: string;
      size: Size;
      format: Format;
      isTransparent: boolean;
      source: Uint8Array;
      mask: Uint8Array | null;
    };

export type JobResult =
  | { kind: 'label'; label: SharedBitmap | null }
  | { kind: 'traced' }
  | { kind: 'encoded'; bytes: Uint8Array; notes: EngineNote[] }
  | { kind: 'unreadable' };

async function run(job: Job): Promise<JobResult> {
  switch (job.kind) {
    case 'label':
      return { kind: 'label', label: makeLabel(job.spec) };
    case 'trace':
      return trace(job);
    case 'finish':
      return finish(job);
    case 'flat': {
      const { width, height } = job.size;
      const { data } = drawFlat(job.spec, width, height);
      return {
        kind: 'encoded',
        bytes: await encode(data, job.size, job.size, job.format),
        notes: [],
      };
    }
    case 'edit':
      return edit(job);
  }
}

function makeLabel(spec: SceneSpec): SharedBitmap | null {
  const place = LABELS[spec.kind];
  const [text] = spec.texts;
  if (!place || text === undefined || !isSolid(spec)) return null;
  const width = 1536;
  const height = Math.round((width * place.height) / place.width);
  const { data } = drawLabel(text, width, height);
  const shared = new SharedArrayBuffer(data.byteLength);
  new Uint8Array(shared).set(data);
  return { data: shared, width, height };
}

function trace({ spec, label, picture, counters }: Job & { kind: 'trace' }): JobResult {
  const place = LABELS[spec.kind];
  const decal: Decal | null =
    label && place
      ? {
          ...place,
          data: new Uint8Array(label.data),
          pixelWidth: label.width,
          pixelHeight: label.height,
        }
      : null;
  const scene = buildScene(spec, decal);
  const pixels = new Uint8Array(picture.data);
  const count = new Int32Array(counters);
  for (;;) {
    const from = Atomics.add(count, 0, 1) * BAND_ROWS;
    if (from >= picture.height || Atomics.load(count, 1) === 1) return { kind: 'traced' };
    const to = Math.min(picture.height, from + BAND_ROWS);
    renderRows(scene, picture.width, picture.height, from, to, pixels);
    Atomics.add(count, 2, 1);
  }
}

async function finish(job: Job & { kind: 'finish' }): Promise<JobResult> {
  const { spec, picture, size, format } = job;
  const [text] = spec.texts;
  const lettering =
    job.isLettered && text !== undefined ? drawLettering(text, size.width, size.height).data : null;
  const pixels = new Uint8Array(picture.data);
  const bytes = await encode(pixels, picture, size, format, lettering);
  return { kind: 'encoded', bytes, notes: [] };
}

async function edit(job: Job & { kind: 'edit' }): Promise<JobResult> {
  const { prompt, isTransparent, source, mask, size, format } = job;
  try {
    await sharp(source, { failOn: 'error' }).metadata();
  } catch {
    return { kind: 'unreadable' };
  }
  const { pixels, notes } = await applyEdit({ prompt, ...size, isTransparent, source, mask });
  return { kind: 'encoded', bytes: await encode(pixels, size, size, format), notes };
}

/** Every picture says of itself what made it. No parentheses: libvips takes them for a type and drops them. */
const ORIGIN = {
  IFD0: { Software: 'RunAPI Gateway illustrator: procedural render, not GPT Image' },
};

async function encode(
  pixels: Uint8Array,
  from: Size,
  to: Size,
  format: Format,
  lettering: Uint8Array | null = null,
): Promise<Uint8Array> {
  let image = sharp(pixels, { raw: { width: from.width, height: from.height, channels: 4 } });
  if (from.width !== to.width || from.height !== to.height) {
    image = image.resize(to.width, to.height, { fit: 'fill', kernel: 'lanczos3' });
  }
  if (lettering) {
    const raw = { width: to.width, height: to.height, channels: 4 } as const;
    image = image.composite([{ input: Buffer.from(lettering), raw }]);
  }
  image = image.withMetadata({ density: 300, exif: ORIGIN });
  if (format === 'webp') return image.webp({ quality: 92 }).toBuffer();
  if (format === 'jpeg')
    return image.flatten({ background: '#ffffff' }).jpeg({ quality: 92 }).toBuffer();
  return image.png({ compressionLevel: 6 }).toBuffer();
}

parentPort?.on('message', (job: Job) => {
  run(job).then(
    (result) => parentPort?.postMessage({ ok: true, result }),
    (error: unknown) => {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      parentPort?.postMessage({ ok: false, message });
    },
  );
});
