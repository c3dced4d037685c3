// Plain solid subjects on a ground: ball, box, cup, apple, and a form that stands for nothing.
import { clamp, cloud, mix } from '../tracer/noise.ts';
import {
  cylinder,
  type Decal,
  matte,
  metal,
  roundBox,
  type Scene,
  type Sdf,
  type Solid,
  type Surface,
  type Vec3,
} from '../tracer/scene.ts';
import { type Ground, inStudio } from './studio.ts';

export type Form = 'ball' | 'box' | 'cup' | 'apple' | 'abstract';

export interface StillLifeOptions {
  form: Form;
  /** Linear light; null: the form's own colour. */
  color: Vec3 | null;
  label: Decal | null;
  isTransparent: boolean;
  ground: Ground;
  turn: number;
}

export function stillLifeScene(options: StillLifeOptions): Scene {
  const { form, isTransparent, ground, turn } = options;
  return inStudio(FORMS[form](options), {
    ground,
    isTransparent,
    turn,
    tint: [1, 1, 1],
    slabRadius: 1.95,
    camera: { eye: [turn * 0.8, 3.1, -9], at: [0, 1.25, 0], fovDegrees: 30, fitRatio: 1 },
  });
}

const FORMS: Readonly<Record<Form, (options: StillLifeOptions) => readonly Solid[]>> = {
  ball: ({ color, label }) => [
    solid(
      [0, 1.3, 0, 1.35],
      (x, y, z) => Math.hypot(x, y - 1.3, z) - 1.3,
      glossy(color ?? [0.5, 0.05, 0.04]),
      label,
    ),
  ],
  box: ({ color, label }) => [
    solid(
      [0, 1.2, 0, 2.1],
      (x, y, z) => roundBox(x, y - 1.2, z, 1.2, 1.2, 1.2, 0.12),
      glossy(color ?? [0.75, 0.6, 0.38]),
      label,
    ),
  ],
  cup: ({ color, label }) => [cup(color ?? [0.82, 0.8, 0.76], label), coffee()],
  apple: ({ color }) => [apple(color ?? [0.66, 0.03, 0.02])],
  abstract: ({ color, turn }) => abstract(color ?? [0.08, 0.28, 0.42], turn),
};

function solid(
  bound: Solid['bound'],
  sdf: Sdf,
  surface: Surface | Solid['surface'],
  decal: Decal | null = null,
): Solid {
  const at = typeof surface === 'function' ? surface : () => surface;
  return { bound, sdf, surface: at, glass: null, decal };
}

function glossy(color: Vec3): Surface {
  return { color, metal: 0, rough: 0.1, f0: 0.05, reflect: 0.9 };
}

function cup(color: Vec3, label: Decal | null): Solid {
  const outer: Sdf = (x, y, z) => cylinder(x, y - 1.15, z, 1.05, 1.15, 0.14);
  const hollow: Sdf = (x, y, z) => cylinder(x, y - 1.45, z, 0.92, 1.2, 0.1);
  const handle: Sdf = (x, y, z) => {
    const ring = Math.hypot(x - 1.08, y - 1.2) - 0.55;
    return Math.max(Math.hypot(ring, z) - 0.13, -hollow(x, y, z));
  };
  const sdf: Sdf = (x, y, z) =>
    Math.min(Math.max(outer(x, y, z), -hollow(x, y, z)), handle(x, y, z));
  return solid([0.2, 1.2, 0, 1.95], sdf, glossy(color), label);
}

function coffee(): Solid {
  const sdf: Sdf = (x, y, z) => cylinder(x, y - 1.75, z, 0.91, 0.1, 0.02);
  return solid([0, 1.75, 0, 0.95], sdf, {
    color: [0.06, 0.022, 0.01],
    metal: 0,
    rough: 0,
    f0: 0.05,
    reflect: 0.8,
  });
}

function apple(color: Vec3): Solid {
  const sdf: Sdf = (x, y, z) => {
    const r = Math.hypot(x, z);
    const h = y - 1.05;
    const ring = r - (0.58 + 0.17 * h);
    const body = Math.hypot(ring, h * 1.02 + 0.09 * r * r) - 1;
    const lean = 0.18 * clamp(h - 0.5, 0, 1);
    const stem = Math.hypot(x - lean, h - clamp(h, 0.4, 1.42), z) - 0.06;
    return Math.min(body * 0.8, stem);
  };
  const at = (x: number, y: number, z: number): Surface => {
    const isStem = Math.hypot(x, z) < 0.24 && y > 1.5;
    if (isStem) return matte([0.14, 0.08, 0.03]);
    const streak = cloud(Math.atan2(z, x) * 7, y * 1.2, 3, 4);
    const blush = clamp((cloud(x * 1.4, y * 1.4, z * 1.4, 3) - 0.45) * 1.6, 0, 0.6);
    const base = color.map((c) => mix(c * 0.7, c * 1.1, streak)) as [number, number, number];
    return glossy([
      mix(base[0], 0.75, blush),
      mix(base[1], 0.42, blush),
      mix(base[2], 0.08, blush),
    ]);
  };
  return solid([0, 1.15, 0, 1.75], sdf, at);
}

/** A twisted ring and a bead: visibly nothing in particular. */
function abstract(color: Vec3, turn: number): readonly Solid[] {
  const tilt = 0.5 + turn * 0.5;
  const c = Math.cos(tilt);
  const s = Math.sin(tilt);
  const ring: Sdf = (x, y, z) => {
    const h = y - 1.45;
    const u = x * c + z * s;
    const w = z * c - x * s;
    return (Math.hypot(Math.hypot(u, h) - 1.05, w) - 0.38) * 0.95;
  };
  const bead: Sdf = (x, y, z) => Math.hypot(x - turn * 0.4, y - 1.45, z + 0.1) - 0.5;
  return [
    solid([0, 1.45, 0, 1.5], ring, glossy(color)),
    solid([turn * 0.4, 1.45, -0.1, 0.52], bead, metal([1, 0.73, 0.34], 0.1)),
  ];
}
