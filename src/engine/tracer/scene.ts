// What the tracer draws. Units: the bottle is about four units high; y points up, the camera looks along +z.

export type Vec3 = readonly [number, number, number];

/** Signed distance to a surface: negative inside. */
export type Sdf = (x: number, y: number, z: number) => number;

/** Colours are linear light. */
export interface Surface {
  color: Vec3;
  /** 0 or 1. */
  metal: number;
  rough: number;
  /** Reflectance at normal incidence, of what is no metal. */
  f0: number;
  reflect: number;
}

export interface Region {
  sdf: Sdf;
  /** Index of refraction. */
  ior: number;
  /** Absorption per unit of length; null: clear. */
  absorb: Vec3 | null;
}

/** RGBA bitmap on the front of a body, `data` straight alpha, sRGB. */
export interface Decal {
  data: Uint8Array;
  pixelWidth: number;
  pixelHeight: number;
  /** In scene units. */
  width: number;
  height: number;
  centerY: number;
}

export interface Glass {
  ior: number;
  absorb: Vec3;
  /** Nested media, outermost first. */
  regions: readonly Region[];
  /** How dark its shadow is, 0..1. */
  shadow: number;
}

export interface Solid {
  /** Bounding sphere: centre and radius. */
  bound: readonly [number, number, number, number];
  sdf: Sdf;
  surface(x: number, y: number, z: number): Surface;
  glass: Glass | null;
  decal: Decal | null;
}

export interface Light {
  /** Unit vector towards the light. */
  direction: Vec3;
  color: Vec3;
  hardness: number;
}

export interface Scene {
  solids: readonly Solid[];
  /** The plane y = 0; null: there is none. */
  ground: ((x: number, z: number) => Surface) | null;
  /** What is hit by nothing is see-through instead of `backdrop`. */
  isTransparent: boolean;
  env(x: number, y: number, z: number): Vec3;
  backdrop(x: number, y: number, z: number): Vec3;
  ambient(ny: number): Vec3;
  lights: readonly Light[];
  camera: {
    eye: Vec3;
    at: Vec3;
    fovDegrees: number /** Ratio below which the view widens. */;
    fitRatio: number;
  };
}

export function normalised(x: number, y: number, z: number): Vec3 {
  const length = Math.hypot(x, y, z);
  return [x / length, y / length, z / length];
}

export function matte(color: Vec3, rough = 0.5, reflect = 0.6): Surface {
  return { color, metal: 0, rough, f0: 0.04, reflect };
}

export function metal(color: Vec3, rough: number): Surface {
  return { color, metal: 1, rough, f0: 0.9, reflect: 1 };
}

/** A box with rounded edges, given by half sizes. */
export function roundBox(
  x: number,
  y: number,
  z: number,
  hx: number,
  hy: number,
  hz: number,
  radius: number,
): number {
  const qx = Math.abs(x) - hx + radius;
  const qy = Math.abs(y) - hy + radius;
  const qz = Math.abs(z) - hz + radius;
  const ox = Math.max(qx, 0);
  const oy = Math.max(qy, 0);
  const oz = Math.max(qz, 0);
  return Math.sqrt(ox * ox + oy * oy + oz * oz) + Math.min(Math.max(qx, qy, qz), 0) - radius;
}

/** An upright cylinder with rounded rims. */
export function cylinder(
  x: number,
  y: number,
  z: number,
  radius: number,
  halfHeight: number,
  rim: number,
): number {
  const d = Math.sqrt(x * x + z * z) - radius + rim;
  const e = Math.abs(y) - halfHeight + rim;
  const od = Math.max(d, 0);
  const oe = Math.max(e, 0);
  return Math.min(Math.max(d, e), 0) + Math.sqrt(od * od + oe * oe) - rim;
}
