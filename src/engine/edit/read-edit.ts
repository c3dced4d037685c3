// What an edit's words ask for, of the things the engine can do to a picture.

import { readQuoted } from '../prompt/quoted.ts';
import { positionOf } from '../prompt/read-prompt.ts';
import { COLORS } from '../prompt/vocabulary.ts';

export type EditStep =
  | 'cut_out'
  | 'grey'
  | 'sepia'
  | 'blur'
  | 'sharpen'
  | 'brighter'
  | 'darker'
  | 'contrast'
  | 'pixels'
  | 'sketch'
  | 'invert'
  | 'flip'
  | 'mirror';

const STEPS: Readonly<Record<Exclude<EditStep, 'cut_out'>, readonly string[]>> = {
  grey: [
    'grayscale',
    'greyscale',
    'black and white',
    'monochrome',
    '黑白',
    '灰階',
    '灰阶',
    'モノクロ',
  ],
  sepia: ['sepia', 'vintage', 'retro', '復古', '复古', '懷舊', '怀旧', 'セピア'],
  blur: ['blur', 'blurry', 'blurred', '模糊', 'ぼかし'],
  sharpen: ['sharpen', 'sharper', '銳化', '锐化', '清晰'],
  brighter: ['brighter', 'brighten', 'lighter', 'lighten', '亮', '明るく'],
  darker: ['darker', 'darken', 'dim', '暗', '暗く'],
  contrast: ['contrast', '對比', '对比', 'コントラスト'],
  pixels: ['pixel', 'pixelate', 'pixelated', 'pixel art', '像素', 'ドット'],
  sketch: ['sketch', 'pencil', 'drawing', 'line art', '素描', '鉛筆', '铅笔', 'スケッチ'],
  invert: ['invert', 'negative', '反相', '負片', '负片'],
  flip: ['upside down', 'flip vertically', '上下翻轉', '上下翻转', '倒置'],
  mirror: ['mirror', 'flip', 'flip horizontally', '鏡像', '镜像', '左右翻轉', '左右翻转'],
};

export interface Edit {
  steps: readonly EditStep[];
  /** Linear light; null: none was named. */
  tint: readonly [number, number, number] | null;
  /** To be set on the picture. */
  caption: string | null;
}

export function readEdit(prompt: string, isTransparent: boolean): Edit {
  const text = prompt.slice(0, 4_000).normalize('NFKC').toLowerCase();
  const asked = (words: readonly string[]) => words.some((word) => positionOf(text, word) >= 0);
  const named = (Object.keys(STEPS) as (keyof typeof STEPS)[]).filter((step) => asked(STEPS[step]));
  const isUpsideDown = named.includes('flip');
  const steps = named.filter((step) => !(isUpsideDown && step === 'mirror'));
  const isGrey = steps.includes('grey');
  const tint = isGrey ? null : (COLORS.find(([words]) => asked(words))?.[1] ?? null);
  const [caption = null] = readQuoted(prompt);
  return { steps: isTransparent ? ['cut_out', ...steps] : steps, tint, caption };
}
