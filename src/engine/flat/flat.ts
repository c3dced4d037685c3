// Pictures without depth, drawn with Skia: typographic posters and layered landscapes.
import { createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import type { Face } from '../fonts.ts';
import { type Bitmap, drawLines, setLines, toBitmap } from '../lettering.ts';
import type { SceneSpec } from '../scenes/spec.ts';
import { cloud, hash } from '../tracer/noise.ts';
import type { Vec3 } from '../tracer/scene.ts';

export function drawFlat(spec: SceneSpec, width: number, height: number): Bitmap {
  const canvas = createCanvas(width, height);
  const g = canvas.getContext('2d');
  if (spec.kind === 'landscape') drawLandscape(g, spec, width, height);
  else drawPoster(g, spec, width, height);
  return toBitmap(canvas);
}

function css([r, g, b]: Vec3, scale = 1): string {
  const channel = (c: number) => Math.round(255 * Math.min(1, c * scale) ** (1 / 2.2));
  return `rgb(${channel(r)}, ${channel(g)}, ${channel(b)})`;
}

function drawPoster(g: SKRSContext2D, spec: SceneSpec, width: number, height: number): void {
  const color: Vec3 = spec.color ?? [0.05, 0.12, 0.28];
  const unit = Math.min(width, height);
  if (!spec.isTransparent) {
    const sheet = g.createLinearGradient(0, 0, width, height);
    sheet.addColorStop(0, '#f6f1e7');
    sheet.addColorStop(1, '#e9e0cf');
    g.fillStyle = sheet;
    g.fillRect(0, 0, width, height);
  }
  g.strokeStyle = css(color);
  g.fillStyle = css(color);
  g.lineWidth = unit * 0.008;
  const inset = unit * 0.06;
  g.strokeRect(inset, inset, width - 2 * inset, height - 2 * inset);
  drawEmblem(g, spec, width / 2, height * 0.27, unit * 0.13);
  const [title = '', ...rest] = spec.texts;
  const face: Face = title === title.toUpperCase() ? 'capitals' : 'serif';
  g.fillStyle = css(color);
  if (title !== '') {
    const lines = setLines(g, title, face, width * 0.76, height * (rest.length > 0 ? 0.24 : 0.32));
    drawLines(g, lines, width / 2, height * 0.57);
  }
  if (rest.length > 0) {
    const lines = setLines(g, rest.join(' · '), 'sans', width * 0.7, height * 0.09);
    drawLines(g, lines, width / 2, height * 0.8);
  }
}

/** Petals around a ring; their number is the seed's. */
function drawEmblem(g: SKRSContext2D, spec: SceneSpec, x: number, y: number, radius: number): void {
  const petals = 5 + (spec.seed % 4);
  g.save();
  g.translate(x, y);
  for (let i = 0; i < petals; i += 1) {
    g.rotate((2 * Math.PI) / petals);
    g.beginPath();
    g.ellipse(0, -radius * 0.62, radius * 0.2, radius * 0.38, 0, 0, 2 * Math.PI);
    g.fill();
  }
  g.beginPath();
  g.arc(0, 0, radius * 0.17, 0, 2 * Math.PI);
  g.fill();
  g.restore();
}

function drawLandscape(g: SKRSContext2D, spec: SceneSpec, width: number, height: number): void {
  const warm: Vec3 = spec.color ?? [0.75, 0.32, 0.16];
  const sunX = width * (0.5 + spec.turn * 0.25);
  const sunY = height * 0.42;
  if (!spec.isTransparent) {
    const sky = g.createLinearGradient(0, 0, 0, height * 0.62);
    sky.addColorStop(0, css([0.06, 0.1, 0.28]));
    sky.addColorStop(0.6, css(warm, 0.9));
    sky.addColorStop(1, css([0.95, 0.75, 0.5]));
    g.fillStyle = sky;
    g.fillRect(0, 0, width, height);
    const glow = g.createRadialGradient(sunX, sunY, 0, sunX, sunY, width * 0.4);
    glow.addColorStop(0, 'rgba(255, 240, 205, 0.9)');
    glow.addColorStop(1, 'rgba(255, 240, 205, 0)');
    g.fillStyle = glow;
    g.fillRect(0, 0, width, height);
  }
  g.fillStyle = '#fff4d6';
  g.beginPath();
  g.arc(sunX, sunY, Math.min(width, height) * 0.055, 0, 2 * Math.PI);
  g.fill();
  const layers = 5;
  for (let layer = 0; layer < layers; layer += 1) drawRidge(g, spec, width, height, layer, layers);
  const [title] = spec.texts;
  if (title !== undefined) {
    g.fillStyle = '#fffaf0';
    drawLines(g, setLines(g, title, 'serif', width * 0.8, height * 0.15), width / 2, height * 0.88);
  }
}

function drawRidge(
  g: SKRSContext2D,
  spec: SceneSpec,
  width: number,
  height: number,
  layer: number,
  layers: number,
): void {
  const depth = layer / (layers - 1);
  const base = height * (0.46 + 0.4 * depth);
  const tall = height * (0.2 - 0.1 * depth);
  const shift = hash(spec.seed, layer, 3) * 100;
  g.fillStyle = css([0.22 - 0.2 * depth, 0.17 - 0.13 * depth, 0.3 - 0.25 * depth]);
  g.beginPath();
  g.moveTo(0, height);
  for (let i = 0; i <= 160; i += 1) {
    const u = i / 160;
    const rise = cloud(u * (3 + layer) + shift, layer * 9.1, 1, 5);
    g.lineTo(u * width, base - (rise - 0.3) * tall * 2);
  }
  g.lineTo(width, height);
  g.fill();
}
