// Words set in type: labels for solid bodies, and lettering laid over a picture.
import { type Canvas, createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import { type Face, familyFor } from './fonts.ts';

const INK = '#7a4a12';
const PAPER = '#f7f4ec';

export interface Bitmap {
  width: number;
  height: number;
  /** Straight RGBA. */
  data: Uint8Array;
}

/** A paper label with a double rule and the words in it, as large as they fit. */
export function drawLabel(text: string, width: number, height: number): Bitmap {
  const canvas = createCanvas(width, height);
  const g = canvas.getContext('2d');
  g.fillStyle = PAPER;
  g.fillRect(0, 0, width, height);
  g.strokeStyle = INK;
  rule(g, width, height, height * 0.05, height * 0.011);
  rule(g, width, height, height * 0.078, height * 0.004);
  g.fillStyle = INK;
  const isCapitals = text === text.toUpperCase();
  const face: Face = isCapitals ? 'capitals' : 'serif';
  const lines = setLines(g, text, face, width * 0.8, height * 0.6);
  drawLines(g, lines, width / 2, height * 0.48);
  g.fillRect(width * 0.4, height * 0.8, width * 0.2, height * 0.008);
  return toBitmap(canvas);
}

function rule(g: SKRSContext2D, width: number, height: number, inset: number, line: number): void {
  g.lineWidth = line;
  g.strokeRect(inset, inset, width - 2 * inset, height - 2 * inset);
}

export interface SetLines {
  lines: readonly string[];
  font: string;
  /** Height of one line in pixels. */
  size: number;
}

/** The largest setting, on one to four lines, that fits the box. */
export function setLines(
  g: SKRSContext2D,
  text: string,
  face: Face,
  widthMax: number,
  heightMax: number,
): SetLines {
  const family = familyFor(text, face);
  let best: SetLines = { lines: [text], font: `10px ${family}`, size: 0 };
  for (let count = 1; count <= 4; count += 1) {
    const lines = breakLines(text, count);
    g.font = `100px ${family}`;
    const widest = Math.max(1, ...lines.map((line) => g.measureText(line).width));
    const size = Math.min((widthMax / widest) * 100, heightMax / (lines.length * 1.15));
    if (size > best.size * 1.15) best = { lines, font: `${size}px ${family}`, size };
  }
  return best;
}

/** Words over `count` lines of about equal length; text without spaces breaks anywhere. */
function breakLines(text: string, count: number): string[] {
  const words = text.includes(' ') ? text.split(' ') : [...text];
  const glue = text.includes(' ') ? ' ' : '';
  if (count === 1 || words.length < count) return [text];
  const target = text.length / count;
  const lines: string[] = [];
  let line = '';
  for (const word of words) {
    const longer = line === '' ? word : `${line}${glue}${word}`;
    if (line !== '' && longer.length > target * 1.15 && lines.length < count - 1) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

/** Lines centred on a point. */
export function drawLines(
  g: SKRSContext2D,
  { lines, font, size }: SetLines,
  centerX: number,
  centerY: number,
): void {
  g.font = font;
  g.textAlign = 'center';
  g.textBaseline = 'middle';
  const top = centerY - ((lines.length - 1) * size * 1.15) / 2;
  for (const [index, line] of lines.entries()) {
    g.fillText(line, centerX, top + index * size * 1.15);
  }
}

/** Words in the lower part of a picture, on a see-through sheet of the picture's size. */
export function drawLettering(text: string, width: number, height: number): Bitmap {
  const canvas = createCanvas(width, height);
  const g = canvas.getContext('2d');
  const set = setLines(g, text, 'serif', width * 0.84, height * 0.16);
  const centerY = height * 0.88;
  g.lineJoin = 'round';
  g.strokeStyle = 'rgba(20, 18, 16, 0.85)';
  g.lineWidth = Math.max(2, set.size * 0.12);
  g.font = set.font;
  g.textAlign = 'center';
  g.textBaseline = 'middle';
  const top = centerY - ((set.lines.length - 1) * set.size * 1.15) / 2;
  for (const [index, line] of set.lines.entries()) {
    g.strokeText(line, width / 2, top + index * set.size * 1.15);
  }
  g.fillStyle = '#fffaf0';
  drawLines(g, set, width / 2, centerY);
  return toBitmap(canvas);
}

export function toBitmap(canvas: Canvas): Bitmap {
  const { width, height } = canvas;
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
  return { width, height, data: new Uint8Array(data.buffer) };
}
