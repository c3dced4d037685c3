// The room every solid subject stands in: two strip lights, a top light, and grounds to stand on.
import { clamp, cloud, mix, smooth } from '../tracer/noise.ts';
import {
  cylinder,
  type Light,
  normalised,
  type Scene,
  type Solid,
  type Surface,
  type Vec3,
} from '../tracer/scene.ts';

/** A soft-edged window of one coordinate. */
function window(x: number, from: number, to: number, soft: number): number {
  return smooth(from - soft, from + soft, x) * (1 - smooth(to - soft, to + soft, x));
}

export function studioEnv(x: number, y: number, z: number): Vec3 {
  const base = 0.34 + 0.42 * smooth(-0.5, 0.9, y);
  let r = base;
  let g = base;
  let b = base * 1.03;
  if (x < -0.2) {
    const w = window(z / -x, -1.2, 0.2, 0.12) * window(y / -x, -0.15, 1.6, 0.1);
    r += 2.6 * w;
    g += 2.55 * w;
    b += 2.5 * w;
  }
  if (x > 0.2) {
    const w = window(z / x, -0.55, -0.05, 0.08) * window(y / x, -0.1, 1.8, 0.1);
    r += 1.7 * w;
    g += 1.75 * w;
    b += 1.85 * w;
  }
  if (y > 0.3) {
    const w = window(x / y, -0.8, 0.8, 0.15) * window(z / y, -0.9, 0.3, 0.15);
    r += 1.6 * w;
    g += 1.6 * w;
    b += 1.6 * w;
  }
  const below = 1 - smooth(-0.3, 0, y);
  return [r * (1 - 0.55 * below), g * (1 - 0.55 * below), b * (1 - 0.5 * below)];
}

export function studioAmbient(ny: number): Vec3 {
  const t = 0.5 + 0.5 * ny;
  const grey = mix(0.16, 0.36, t);
  return [grey, grey, mix(0.17, 0.385, t)];
}

/** `turn` moves the key light a little, so that seeds differ. */
export function studioLights(turn: number): readonly Light[] {
  return [
    {
      direction: normalised(-0.55 + turn * 0.3, 0.85, -0.55),
      color: [0.82, 0.8, 0.77],
      hardness: 7,
    },
    { direction: normalised(0.75, 0.55, -0.35), color: [0.22, 0.23, 0.26], hardness: 5 },
  ];
}

/** A wall that is lighter below, with a soft vignette. */
export function studioBackdrop(tint: Vec3) {
  return (x: number, y: number, _z: number): Vec3 => {
    const t = smooth(-0.25, 0.55, y);
    const shade = 1 - 0.35 * Math.min(1, x * x * 2.2);
    return [
      mix(0.66, 0.3, t) * shade * tint[0],
      mix(0.64, 0.305, t) * shade * tint[1],
      mix(0.62, 0.33, t) * shade * tint[2],
    ];
  };
}

export function marble(x: number, z: number): Surface {
  const w = cloud(x * 1.1 + 3, z * 1.1, 1.3, 5);
  const w2 = cloud(x * 1.1 + 9, z * 1.1 + 4, 2.7, 5);
  const vein = Math.abs(Math.sin((x * 0.9 + z * 0.55) * 1.3 + (w - 0.5) * 7.5));
  const fine = Math.abs(Math.sin((x * 0.5 - z * 1.1) * 1.1 + (w2 - 0.5) * 9 + 2));
  const k = clamp((1 - vein) ** 7 * 0.55 + (1 - fine) ** 16 * 0.45 * w, 0, 1);
  const base = mix(0.8, 0.9, cloud(x * 0.6, z * 0.6, 5, 4) * 1.2 - 0.1);
  const color: Vec3 = [mix(base, 0.4, k), mix(base * 0.995, 0.41, k), mix(base * 0.985, 0.44, k)];
  return { color, metal: 0, rough: 0, f0: 0.05, reflect: 1 };
}

export function wood(x: number, z: number): Surface {
  const plank = Math.floor(z / 0.95 + 20);
  const shift = cloud(plank * 3.7, 1, 2, 1) * 26;
  const along = x * 0.33 + shift;
  const across = z * 2.2 + shift * 3;
  const grain = cloud(along * 1.2, across * 1.5, shift, 4);
  const ring = 0.5 + 0.5 * Math.sin(across * 2.6 + grain * 9);
  const fine = cloud(along * 9, across * 20, shift, 2);
  const t = clamp(0.25 + 0.3 * ring + 0.3 * fine, 0, 1);
  const f = z / 0.95 - Math.floor(z / 0.95);
  const gap = mix(0.25, 1, smooth(0, 0.02, f) * (1 - smooth(0.98, 1, f)));
  const color: Vec3 = [
    mix(0.23, 0.55, t) * gap,
    mix(0.115, 0.33, t) * gap,
    mix(0.05, 0.165, t) * gap,
  ];
  return { color, metal: 0, rough: 0.5, f0: 0.04, reflect: 0.75 };
}

export type Ground = 'marble' | 'wood';

export const GROUNDS: Readonly<Record<Ground, (x: number, z: number) => Surface>> = {
  marble,
  wood,
};

/** A round slab: what a cut-out subject stands on, so that it keeps its ground without a backdrop. */
export function slab(ground: Ground, radius: number): Solid {
  const at = GROUNDS[ground];
  return {
    bound: [0, -0.2, 0, radius + 0.15],
    sdf: (x, y, z) => cylinder(x, y + 0.17, z, radius, 0.17, 0.05),
    surface: (x, y, z) => at(x, z + y * 0.7),
    glass: null,
    decal: null,
  };
}

/** The room around some solids. */
export function inStudio(
  solids: readonly Solid[],
  options: {
    ground: Ground;
    isTransparent: boolean;
    /** -1..1, from the seed. */
    turn: number;
    tint: Vec3;
    /** Of the slab under a cut-out subject; small enough to lie whole in the camera's frame. */
    slabRadius: number;
    camera: Scene['camera'];
  },
): Scene {
  const { ground, isTransparent, turn, tint, slabRadius, camera } = options;
  return {
    solids: isTransparent ? [...solids, slab(ground, slabRadius)] : solids,
    ground: isTransparent ? null : GROUNDS[ground],
    isTransparent,
    env: studioEnv,
    backdrop: studioBackdrop(tint),
    ambient: studioAmbient,
    lights: studioLights(turn),
    camera,
  };
}
