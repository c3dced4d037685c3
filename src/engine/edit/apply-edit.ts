// A source picture, visibly changed as its words ask, at exactly the size that was asked for.
import { createCanvas } from '@napi-rs/canvas';
import sharp from 'sharp';
import type { EngineNote } from '../index.ts';
import { drawLettering, toBitmap } from '../lettering.ts';
import { cutOut } from './cut-out.ts';
import { type EditStep, readEdit } from './read-edit.ts';

export interface EditRequest {
  prompt: string;
  width: number;
  height: number;
  isTransparent: boolean;
  source: Uint8Array;
  mask: Uint8Array | null;
}

export interface EditResult {
  /** Straight RGBA at the asked size. */
  pixels: Uint8Array;
  notes: EngineNote[];
}

interface Sheet {
  data: Uint8Array;
  width: number;
  height: number;
}

export async function applyEdit(request: EditRequest): Promise<EditResult> {
  const { width, height } = request;
  const original = await cover(request.source, width, height);
  const edit = readEdit(request.prompt, request.isTransparent);
  const notes: EngineNote[] = [];
  let sheet: Sheet = { data: Uint8Array.from(original), width, height };
  for (const step of edit.steps) sheet = await applyStep(sheet, step, notes);
  if (edit.tint) sheet = await tint(sheet, edit.tint);
  if (edit.caption !== null)
    sheet = await overlay(sheet, drawLettering(edit.caption, width, height));
  if (edit.steps.length === 0 && !edit.tint && edit.caption === null) {
    notes.push({
      code: 'not_applied',
      message:
        'The built-in illustrator does not understand this edit: it graded and framed the picture instead.',
    });
    sheet = await gradeAndFrame(sheet);
  }
  if (edit.caption !== null && /text|字|label|文/i.test(request.prompt)) {
    notes.push({
      code: 'lettered_over',
      message: 'The words were set over the picture; lettering that was there before was left.',
    });
  }
  const pixels = request.mask
    ? await keepOutside(sheet.data, original, request.mask, width, height)
    : sheet.data;
  return { pixels, notes };
}

function cover(source: Uint8Array, width: number, height: number): Promise<Buffer> {
  return sharp(source, { failOn: 'error' })
    .autoOrient()
    .resize(width, height, { fit: 'cover', kernel: 'lanczos3' })
    .toColourspace('srgb')
    .ensureAlpha()
    .raw()
    .toBuffer();
}

function open({ data, width, height }: Sheet) {
  return sharp(data, { raw: { width, height, channels: 4 } });
}

async function applyStep(sheet: Sheet, step: EditStep, notes: EngineNote[]): Promise<Sheet> {
  const { width, height } = sheet;
  const unit = Math.max(1, Math.min(width, height));
  const done = async (image: ReturnType<typeof open>): Promise<Sheet> => ({
    ...sheet,
    data: await image.ensureAlpha().toColourspace('srgb').raw().toBuffer(),
  });
  switch (step) {
    case 'cut_out': {
      const share = cutOut(sheet.data, width, height);
      if (share < 0.02 || share > 0.98) {
        const message = 'The backdrop is not plain: little or nothing of it could be cut away.';
        notes.push({ code: 'weak_cut_out', message });
      }
      return sheet;
    }
    case 'grey':
      return recolor(sheet, (r, g, b) => {
        const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        return [light, light, light];
      });
    case 'sepia':
      return recolor(sheet, (r, g, b) => {
        const light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        return [light * 1.07 + 18, light * 0.94 + 6, light * 0.74];
      });
    case 'blur':
      return done(open(sheet).blur(Math.max(0.8, unit * 0.012)));
    case 'sharpen':
      return done(open(sheet).sharpen({ sigma: 1.6, m1: 1.5, m2: 4 }));
    case 'brighter':
      return done(open(sheet).modulate({ brightness: 1.28 }));
    case 'darker':
      return done(open(sheet).modulate({ brightness: 0.66 }));
    case 'contrast':
      return recolor(sheet, (r, g, b) => [contrast(r), contrast(g), contrast(b)]);
    case 'invert':
      return recolor(sheet, (r, g, b) => [255 - r, 255 - g, 255 - b]);
    case 'flip':
      return done(open(sheet).flip());
    case 'mirror':
      return done(open(sheet).flop());
    case 'pixels': {
      const blocks = await open(sheet)
        .resize(Math.max(1, Math.round(width / (unit / 48))), null, { kernel: 'nearest' })
        .png()
        .toBuffer();
      return done(sharp(blocks).resize(width, height, { fit: 'fill', kernel: 'nearest' }));
    }
    case 'sketch':
      return sketch(sheet);
  }
}

function contrast(value: number): number {
  return (value - 128) * 1.45 + 128;
}

function recolor(
  sheet: Sheet,
  change: (r: number, g: number, b: number) => readonly [number, number, number],
): Sheet {
  const data = new Uint8ClampedArray(sheet.data);
  for (let at = 0; at < data.length; at += 4) {
    const [r, g, b] = change(data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0);
    data[at] = r;
    data[at + 1] = g;
    data[at + 2] = b;
  }
  return { ...sheet, data: new Uint8Array(data.buffer) };
}

/** Pencil: the picture divided by its own blurred light. */
async function sketch(sheet: Sheet): Promise<Sheet> {
  const { width, height } = sheet;
  const grey = await open(sheet).removeAlpha().greyscale().raw().toBuffer();
  const soft = await sharp(grey, { raw: { width, height, channels: 1 } })
    .blur(Math.max(1, Math.min(width, height) * 0.006))
    .raw()
    .toBuffer();
  let pixel = -1;
  return recolor(sheet, () => {
    pixel += 1;
    const line = Math.min(255, ((grey[pixel] ?? 0) * 256) / Math.max(1, soft[pixel] ?? 1));
    const ink = (line / 255) ** 2.2 * 255;
    return [ink, ink, ink];
  });
}

async function tint(sheet: Sheet, [r, g, b]: readonly [number, number, number]): Promise<Sheet> {
  const full = Math.max(r, g, b, 0.05);
  const keep = [r, g, b].map((c) => 0.45 + 0.55 * (c / full) ** (1 / 2.2));
  return recolor(sheet, (sr, sg, sb) => [
    sr * (keep[0] ?? 1),
    sg * (keep[1] ?? 1),
    sb * (keep[2] ?? 1),
  ]);
}

async function overlay(sheet: Sheet, top: Sheet): Promise<Sheet> {
  const input = Buffer.from(top.data);
  const { width, height } = top;
  const data = await open(sheet)
    .composite([{ input, raw: { width, height, channels: 4 } }])
    .raw()
    .toBuffer();
  return { ...sheet, data };
}

async function gradeAndFrame(sheet: Sheet): Promise<Sheet> {
  const { width, height } = sheet;
  const graded = recolor(sheet, (r, g, b) => [
    contrast(r) * 1.04 + 6,
    contrast(g),
    contrast(b) * 0.92,
  ]);
  const canvas = createCanvas(width, height);
  const g = canvas.getContext('2d');
  const line = Math.max(2, Math.min(width, height) * 0.02);
  g.strokeStyle = '#f7f4ec';
  g.lineWidth = line;
  g.strokeRect(line * 1.5, line * 1.5, width - line * 3, height - line * 3);
  return overlay(graded, toBitmap(canvas));
}

/** The mask's see-through pixels are to be changed, all others stay as they were. */
async function keepOutside(
  edited: Uint8Array,
  original: Uint8Array,
  mask: Uint8Array,
  width: number,
  height: number,
): Promise<Uint8Array> {
  const sheet = await sharp(mask, { failOn: 'error' })
    .resize(width, height, { fit: 'fill' })
    .ensureAlpha()
    .raw()
    .toBuffer();
  const result = Uint8Array.from(edited);
  for (let at = 0; at < result.length; at += 4) {
    const kept = (sheet[at + 3] ?? 0) / 255;
    for (let c = 0; c < 4; c += 1) {
      const now = edited[at + c] ?? 0;
      result[at + c] = Math.round(now + ((original[at + c] ?? 0) - now) * kept);
    }
  }
  return result;
}
