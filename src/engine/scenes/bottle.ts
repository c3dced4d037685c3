// A glass bottle with liquid, a gold neck and cap, and a label.
import {
  cylinder,
  type Decal,
  metal,
  roundBox,
  type Scene,
  type Solid,
  type Vec3,
} from '../tracer/scene.ts';
import { type Ground, inStudio } from './studio.ts';

const GOLD: Vec3 = [1, 0.73, 0.34];
const AMBER: Vec3 = [0.12, 0.42, 1.5];

export interface BottleOptions {
  label: Decal | null;
  /** What the liquid swallows, per unit and channel; null: amber. */
  liquid: Vec3 | null;
  isTransparent: boolean;
  ground: Ground;
  turn: number;
}

export function bottleScene(options: BottleOptions): Scene {
  const { label, isTransparent, ground, turn } = options;
  const inner = (x: number, y: number, z: number) =>
    roundBox(x, y - 1.45, z, 0.98, 1.13, 0.39, 0.13);
  const liquid = (x: number, y: number, z: number) =>
    Math.max(roundBox(x, y - 1.45, z, 0.979, 1.129, 0.389, 0.129), y - 2.08);
  const body: Solid = {
    bound: [0, 1.4, 0, 2.05],
    sdf: (x, y, z) => roundBox(x, y - 1.38, z, 1.15, 1.36, 0.55, 0.2),
    surface: () => metal(GOLD, 0.1),
    glass: {
      ior: 1.47,
      absorb: [0.16, 0.09, 0.1],
      shadow: 0.5,
      regions: [
        { sdf: inner, ior: 1.02, absorb: null },
        { sdf: liquid, ior: 1.3, absorb: options.liquid ?? AMBER },
      ],
    },
    decal: label,
  };
  const neck: Solid = {
    bound: [0, 2.86, 0, 0.55],
    sdf: (x, y, z) => cylinder(x, y - 2.86, z, 0.36, 0.14, 0.03),
    surface: () => metal(GOLD, 0.08),
    glass: null,
    decal: null,
  };
  const cap: Solid = {
    bound: [0, 3.42, 0, 0.85],
    sdf: (x, y, z) => roundBox(x, y - 3.42, z, 0.47, 0.46, 0.44, 0.07),
    surface: () => metal(GOLD, 0.1),
    glass: null,
    decal: null,
  };
  return inStudio([body, neck, cap], {
    ground,
    isTransparent,
    turn,
    tint: [1, 1, 1],
    slabRadius: 1.62,
    camera: {
      eye: [0.9 + turn * 0.35, 2.75, -9.2],
      at: [0, 1.72, 0],
      fovDegrees: 31,
      fitRatio: 0.75,
    },
  });
}
