// Finding where rays meet solids, and how much light reaches a point.
import { clamp } from './noise.ts';
import type { Scene, Sdf, Solid, Vec3 } from './scene.ts';

const SURFACE = 6e-4;
const STEPS_MAX = 90;
const FAR = 1e9;

export interface Hit {
  t: number;
  /** Null: the ground. */
  solid: Solid | null;
}

export function normalAt(f: Sdf, x: number, y: number, z: number): Vec3 {
  const e = 4e-4;
  const a = f(x + e, y - e, z - e);
  const b = f(x - e, y - e, z + e);
  const c = f(x - e, y + e, z - e);
  const d = f(x + e, y + e, z + e);
  const nx = a - b - c + d;
  const ny = -a - b + c + d;
  const nz = -a + b - c + d;
  const length = Math.sqrt(nx * nx + ny * ny + nz * nz) || 1;
  return [nx / length, ny / length, nz / length];
}

/** Distance along the ray to the solid within `limit`, or -1. */
function marchSolid(
  solid: Solid,
  ox: number,
  oy: number,
  oz: number,
  dx: number,
  dy: number,
  dz: number,
  limit: number,
): number {
  const [cx, cy, cz, radius] = solid.bound;
  const x = ox - cx;
  const y = oy - cy;
  const z = oz - cz;
  const b = x * dx + y * dy + z * dz;
  const h = b * b - (x * x + y * y + z * z - radius * radius);
  if (h < 0) return -1;
  const s = Math.sqrt(h);
  const end = Math.min(-b + s, limit);
  if (end < 0) return -1;
  let t = Math.max(2e-3, -b - s);
  const { sdf } = solid;
  for (let i = 0; i < STEPS_MAX && t < end; i += 1) {
    const d = sdf(ox + dx * t, oy + dy * t, oz + dz * t);
    if (d < SURFACE) return t;
    t += d;
  }
  return t < end ? t : -1;
}

export function findHit(
  scene: Scene,
  ox: number,
  oy: number,
  oz: number,
  dx: number,
  dy: number,
  dz: number,
): Hit | null {
  let best = FAR;
  let solid: Solid | null = null;
  for (const candidate of scene.solids) {
    const t = marchSolid(candidate, ox, oy, oz, dx, dy, dz, best);
    if (t > 0) {
      best = t;
      solid = candidate;
    }
  }
  if (scene.ground && dy < 0) {
    const t = -oy / dy;
    if (t > 1e-3 && t < best) return { t, solid: null };
  }
  return best < FAR ? { t: best, solid } : null;
}

/** 1: in full light. Glass lets some of it through. */
export function lightReaching(
  scene: Scene,
  px: number,
  py: number,
  pz: number,
  direction: Vec3,
  hardness: number,
): number {
  const [lx, ly, lz] = direction;
  let total = 1;
  for (const { bound, sdf, glass } of scene.solids) {
    const x = px - bound[0];
    const y = py - bound[1];
    const z = pz - bound[2];
    const b = x * lx + y * ly + z * lz;
    const h = b * b - (x * x + y * y + z * z - bound[3] * bound[3] * 1.7);
    if (h < 0) continue;
    const s = Math.sqrt(h);
    const end = -b + s;
    if (end < 0) continue;
    let light = 1;
    let t = Math.max(0.02, -b - s);
    for (let i = 0; i < 26 && t < end; i += 1) {
      const d = sdf(px + lx * t, py + ly * t, pz + lz * t);
      if (d < 1e-3) {
        light = 0;
        break;
      }
      light = Math.min(light, (hardness * d) / t);
      t += clamp(d, 0.015, 0.35);
    }
    light = light * light * (3 - 2 * light);
    total *= glass ? 1 - (1 - light) * glass.shadow : light;
  }
  return total;
}

/** 1: nothing near; less in corners. */
export function openness(scene: Scene, px: number, py: number, pz: number, n: Vec3): number {
  let covered = 0;
  let weight = 1;
  for (let i = 0; i < 5; i += 1) {
    const h = 0.03 + 0.22 * i;
    const x = px + n[0] * h;
    const y = py + n[1] * h;
    const z = pz + n[2] * h;
    let nearest = scene.ground ? y : 9;
    for (const { bound, sdf } of scene.solids) {
      const ex = x - bound[0];
      const ey = y - bound[1];
      const ez = z - bound[2];
      const outside = Math.sqrt(ex * ex + ey * ey + ez * ez) - bound[3];
      if (outside > nearest) continue;
      const d = outside > 0.5 ? outside : sdf(x, y, z);
      if (d < nearest) nearest = d;
    }
    covered += Math.max(0, h - nearest) * weight;
    weight *= 0.72;
  }
  return clamp(1 - 0.75 * covered, 0, 1);
}
