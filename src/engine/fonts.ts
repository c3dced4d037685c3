// The fonts that ship with the package; no system font is read. CJK comes in pieces by character range, of
// which only the needed ones are loaded.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { GlobalFonts } from '@napi-rs/canvas';

const require = createRequire(import.meta.url);

const LATIN: Readonly<Record<string, { pack: string; file: string }>> = {
  Cinzel: { pack: '@fontsource/cinzel', file: 'cinzel-latin-700-normal.woff2' },
  Playfair: {
    pack: '@fontsource/playfair-display',
    file: 'playfair-display-latin-700-normal.woff2',
  },
  Inter: { pack: '@fontsource/inter', file: 'inter-latin-700-normal.woff2' },
};

const CJK_PACK = '@fontsource/noto-serif-tc';
const CJK_WEIGHT = 700;
const CJK = /[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\u3000-\u30ff]/;

const loaded = new Set<string>();

export type Face = 'serif' | 'capitals' | 'sans';

/** A CSS font family list in which every character of `text` that we have a font for is found. */
export function familyFor(text: string, face: Face): string {
  const latin = face === 'capitals' ? 'Cinzel' : face === 'serif' ? 'Playfair' : 'Inter';
  loadLatin(latin);
  loadLatin('Playfair');
  const pieces = CJK.test(text) ? loadCjk(text) : [];
  return [latin, ...pieces, 'Playfair'].map((family) => `"${family}"`).join(', ');
}

function loadLatin(family: string): void {
  const font = LATIN[family];
  if (!font || loaded.has(family)) return;
  GlobalFonts.registerFromPath(join(packFolder(font.pack), 'files', font.file), family);
  loaded.add(family);
}

function packFolder(pack: string): string {
  return dirname(require.resolve(`${pack}/package.json`));
}

interface Piece {
  file: string;
  ranges: readonly (readonly [number, number])[];
}

let cjkPieces: readonly Piece[] | null = null;

function loadCjk(text: string): string[] {
  cjkPieces ??= readPieces();
  const codes = [...new Set([...text].map((character) => character.codePointAt(0) ?? 0))];
  const needed = cjkPieces.filter(({ ranges }) =>
    ranges.some(([from, to]) => codes.some((code) => code >= from && code <= to)),
  );
  return needed.map(({ file }) => {
    const family = `CJK ${file}`;
    if (!loaded.has(family)) {
      GlobalFonts.registerFromPath(join(packFolder(CJK_PACK), 'files', file), family);
      loaded.add(family);
    }
    return family;
  });
}

/** The pack's own style sheet says which file covers which characters. */
function readPieces(): Piece[] {
  const css = readFileSync(join(packFolder(CJK_PACK), `${CJK_WEIGHT}.css`), 'utf8');
  return [...css.matchAll(/files\/([\w-]+\.woff2)\)[^}]*unicode-range:\s*([^;}]+)/g)].map(
    ([, file = '', ranges = '']) => ({ file, ranges: ranges.split(',').map(readRange) }),
  );
}

function readRange(text: string): readonly [number, number] {
  const [from = '', to = from] = text.trim().replace(/^U\+/i, '').split('-');
  return [Number.parseInt(from, 16), Number.parseInt(to, 16)];
}
