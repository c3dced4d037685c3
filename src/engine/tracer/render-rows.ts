// Rows of pixels: one ray each, four more where neighbours differ, tone curve, dither, straight alpha.
import { clamp, hash } from './noise.ts';
import type { Scene } from './scene.ts';
import { type Rgba, trace } from './shade.ts';

/** A difference of tone between neighbours above which a pixel is traced again, finer. */
const EDGE = 0.045;
const SUBPIXELS = [
  [0.375, 0.125],
  [0.875, 0.375],
  [0.125, 0.625],
  [0.625, 0.875],
] as const;
/** A single bright sub-sample must not win against its neighbours. */
const SAMPLE_MAX = 1.6;

const TONES = makeToneTable();
const TONE_RANGE = 4;

function makeToneTable(): Float32Array {
  const table = new Float32Array(4097);
  for (let i = 0; i < table.length; i += 1) {
    const x = (i / 4096) * 4 * 0.78;
    const filmic = (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14);
    table[i] = clamp(filmic, 0, 1) ** (1 / 2.2);
  }
  return table;
}

function tone(x: number): number {
  return TONES[clamp(Math.round((x / TONE_RANGE) * 4096), 0, 4096)] ?? 0;
}

/** Renders rows `y0..y1` of a `width` x `height` picture into `pixels` (RGBA of the whole picture). */
export function renderRows(
  scene: Scene,
  width: number,
  height: number,
  y0: number,
  y1: number,
  pixels: Uint8Array,
): void {
  const ray = makeCamera(scene, width, height);
  const out: Rgba = [0, 0, 0, 0];
  const rows = y1 - y0 + 2;
  const linear = new Float32Array(width * rows * 4);
  for (let row = 0; row < rows; row += 1) {
    for (let x = 0; x < width; x += 1) {
      ray(x + 0.5, y0 + row - 0.5, out);
      linear.set(out, (row * width + x) * 4);
    }
  }
  for (let y = y0; y < y1; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = ((y - y0 + 1) * width + x) * 4;
      if (isEdge(linear, at, x, width)) refine(ray, x, y, out);
      else for (const c of [0, 1, 2, 3] as const) out[c] = linear[at + c] ?? 0;
      put(pixels, (y * width + x) * 4, out, hash(x, y, 7) - 0.5);
    }
  }
}

function isEdge(linear: Float32Array, at: number, x: number, width: number): boolean {
  for (const step of [x > 0 ? -4 : 0, x < width - 1 ? 4 : 0, -width * 4, width * 4]) {
    if (step === 0) continue;
    for (let c = 0; c < 3; c += 1) {
      if (Math.abs(tone(linear[at + c] ?? 0) - tone(linear[at + step + c] ?? 0)) > EDGE)
        return true;
    }
    if (Math.abs((linear[at + 3] ?? 0) - (linear[at + step + 3] ?? 0)) > EDGE) return true;
  }
  return false;
}

type CameraRay = (x: number, y: number, out: Rgba) => void;

function refine(ray: CameraRay, x: number, y: number, out: Rgba): void {
  let r = 0;
  let g = 0;
  let b = 0;
  let a = 0;
  for (const [sx, sy] of SUBPIXELS) {
    ray(x + sx, y + sy, out);
    r += Math.min(out[0], SAMPLE_MAX);
    g += Math.min(out[1], SAMPLE_MAX);
    b += Math.min(out[2], SAMPLE_MAX);
    a += out[3];
  }
  out[0] = r / 4;
  out[1] = g / 4;
  out[2] = b / 4;
  out[3] = a / 4;
}

function put(pixels: Uint8Array, at: number, color: Rgba, dither: number): void {
  const [r, g, b, a] = color;
  if (a <= 0) {
    pixels.fill(0, at, at + 4);
    return;
  }
  pixels[at] = clamp(tone(r / a) * 255 + dither + 0.5, 0, 255);
  pixels[at + 1] = clamp(tone(g / a) * 255 + dither + 0.5, 0, 255);
  pixels[at + 2] = clamp(tone(b / a) * 255 + dither + 0.5, 0, 255);
  pixels[at + 3] = clamp(a * 255 + 0.5, 0, 255);
}

/** Rays by pixel position. Narrow pictures see wider, so that the subject stays whole. */
function makeCamera(scene: Scene, width: number, height: number): CameraRay {
  const { eye, at, fovDegrees, fitRatio } = scene.camera;
  let [fx, fy, fz] = [at[0] - eye[0], at[1] - eye[1], at[2] - eye[2]];
  const length = Math.hypot(fx, fy, fz);
  fx /= length;
  fy /= length;
  fz /= length;
  const flat = Math.hypot(fx, fz);
  const rx = fz / flat;
  const rz = -fx / flat;
  const ux = fy * rz;
  const uy = fz * rx - fx * rz;
  const uz = -fy * rx;
  const ratio = width / height;
  const scale = Math.tan((fovDegrees * Math.PI) / 360) / Math.min(1, ratio / fitRatio);
  return (x, y, out) => {
    const u = ((x / width) * 2 - 1) * scale * ratio;
    const v = (1 - (y / height) * 2) * scale;
    const dx = fx + rx * u + ux * v;
    const dy = fy + uy * v;
    const dz = fz + rz * u + uz * v;
    const norm = 1 / Math.sqrt(dx * dx + dy * dy + dz * dz);
    trace(scene, ...eye, dx * norm, dy * norm, dz * norm, 0, out);
  };
}
