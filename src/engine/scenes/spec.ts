// The plan of a picture: plain data, made once from the prompt and sent to every thread.
import { readPrompt } from '../prompt/read-prompt.ts';
import type { Setting } from '../prompt/vocabulary.ts';
import type { Decal, Scene, Vec3 } from '../tracer/scene.ts';
import { bottleScene } from './bottle.ts';
import { type Form, stillLifeScene } from './still-life.ts';
import type { Ground } from './studio.ts';

export interface SceneSpec {
  kind: 'bottle' | Form | Setting;
  texts: readonly string[];
  color: Vec3 | null;
  ground: Ground;
  isTransparent: boolean;
  /** -1..1, from the seed. */
  turn: number;
  seed: number;
  notDrawn: readonly string[];
}

export function planScene(prompt: string, isTransparent: boolean, seed: number): SceneSpec {
  const reading = readPrompt(prompt);
  const { texts, color, ground, notDrawn } = reading;
  return {
    kind: reading.subject ?? reading.setting ?? (texts.length > 0 ? 'poster' : 'abstract'),
    texts,
    color,
    ground,
    isTransparent,
    turn: ((seed % 1000) / 999) * 2 - 1,
    seed,
    notDrawn,
  };
}

export function isSolid(spec: SceneSpec): boolean {
  return spec.kind !== 'poster' && spec.kind !== 'landscape';
}

/** Where a label goes on the body of each kind, in scene units; null: it has no flat front. */
export const LABELS: Readonly<Record<string, Omit<Decal, 'data' | 'pixelWidth' | 'pixelHeight'>>> =
  {
    bottle: { width: 1.72, height: 1.08, centerY: 1.24 },
    box: { width: 1.9, height: 1.19, centerY: 1.2 },
  };

export function buildScene(spec: SceneSpec, label: Decal | null): Scene {
  const { color, isTransparent, ground, turn, kind } = spec;
  if (kind === 'bottle') {
    const liquid = color ? tinted(color) : null;
    return bottleScene({ label, liquid, isTransparent, ground, turn });
  }
  const form: Form = kind === 'poster' || kind === 'landscape' ? 'abstract' : kind;
  return stillLifeScene({ form, color, label, isTransparent, ground, turn });
}

/** Absorption that leaves about this colour after one unit of liquid. */
function tinted([r, g, b]: Vec3): Vec3 {
  const per = (c: number) => -Math.log(Math.min(0.95, Math.max(0.12, c * 1.2)));
  return [per(r), per(g), per(b)];
}
