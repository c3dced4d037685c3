// Looks at the demo's picture as a person would: `node scripts/check-picture.ts runapi-demo.png`.
// Needs tesseract. The last line is `N passed, N failed`.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';

const [file = 'runapi-demo.png'] = process.argv.slice(2);
const WIDTH = 1728;
const HEIGHT = 2304;

const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
const alphaAt = (x: number, y: number) =>
  info.channels === 4 ? data[(y * info.width + x) * 4 + 3] : 255;
const corners = [
  alphaAt(0, 0),
  alphaAt(info.width - 1, 0),
  alphaAt(0, info.height - 1),
  alphaAt(info.width - 1, info.height - 1),
];
const words = await readWords();

const checks: [name: string, isTrue: boolean, seen: string][] = [
  ['is a PNG', (await sharp(file).metadata()).format === 'png', ''],
  [
    `has ${WIDTH}x${HEIGHT} pixels`,
    info.width === WIDTH && info.height === HEIGHT,
    `${info.width}x${info.height}`,
  ],
  ['has transparent corners', corners.every((alpha) => alpha === 0), `alpha ${corners.join(', ')}`],
  ['has a solid subject', (alphaAt(info.width / 2, Math.round(info.height * 0.15)) ?? 0) > 250, ''],
  ['reads AURORA', /\bAURORA\b/.test(words), words],
];
for (const [name, isTrue, seen] of checks)
  console.log(`${isTrue ? 'ok' : 'FAILED'}  ${name}  ${seen}`);
const failed = checks.filter(([, isTrue]) => !isTrue).length;
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

/** On white, as on a page; sparse text, because a label is no paragraph. */
async function readWords(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-picture-'));
  try {
    const flat = join(folder, 'flat.png');
    await sharp(file).flatten({ background: '#ffffff' }).png().toFile(flat);
    const text = execFileSync('tesseract', [flat, '-', '--psm', '11'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return text.replace(/\s+/g, ' ').trim();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
