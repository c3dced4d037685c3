// The colour that a ray brings back. Results go into a caller's array [r, g, b, a]: linear light,
// premultiplied by a.
import { findHit, lightReaching, normalAt, openness } from './march.ts';
import { clamp, mix, smooth } from './noise.ts';
import type { Decal, Region, Scene, Solid, Surface, Vec3 } from './scene.ts';

export type Rgba = [number, number, number, number];

const DEPTH_MAX = 3;
const GROUND_NORMAL: Vec3 = [0, 1, 0];
const CROSSINGS_MAX = 9;
/** Of what is seen through clear glass on a transparent ground, how much stays see-through. */
const CLEAR = 0.8;
const CLEAR_TINT: Vec3 = [0.86, 0.88, 0.9];

export function trace(
  scene: Scene,
  ox: number,
  oy: number,
  oz: number,
  dx: number,
  dy: number,
  dz: number,
  depth: number,
  out: Rgba,
): void {
  const hit = findHit(scene, ox, oy, oz, dx, dy, dz);
  if (!hit) {
    if (depth === 0 && scene.isTransparent) {
      set(out, 0, 0, 0, 0);
      return;
    }
    const [r, g, b] = depth === 0 ? scene.backdrop(dx, dy, dz) : scene.env(dx, dy, dz);
    set(out, r, g, b, 1);
    return;
  }
  const px = ox + dx * hit.t;
  const py = oy + dy * hit.t;
  const pz = oz + dz * hit.t;
  const { solid } = hit;
  if (!solid) {
    shadeGround(scene, px, pz, dx, dy, dz, depth, out);
    return;
  }
  const n = normalAt(solid.sdf, px, py, pz);
  const label = solid.decal ? readDecal(solid.decal, px, py, n) : null;
  if (label) {
    shade(scene, label, px, py, pz, dx, dy, dz, n, depth, out);
    return;
  }
  if (solid.glass) {
    if (depth < 2) {
      shadeGlass(scene, solid, px, py, pz, dx, dy, dz, n, depth, out);
      return;
    }
    const [r, g, b] = scene.env(dx, dy, dz);
    set(out, r * 0.8, g * 0.8, b * 0.8, 1);
    return;
  }
  shade(scene, solid.surface(px, py, pz), px, py, pz, dx, dy, dz, n, depth, out);
}

function set(out: Rgba, r: number, g: number, b: number, a: number): void {
  out[0] = r;
  out[1] = g;
  out[2] = b;
  out[3] = a;
}

function fresnel(cos: number, f0: number): number {
  const c = 1 - clamp(cos, 0, 1);
  const c2 = c * c;
  return f0 + (1 - f0) * c2 * c2 * c;
}

/** The ground fades into the backdrop, so that it has no horizon line. */
function shadeGround(
  scene: Scene,
  px: number,
  pz: number,
  dx: number,
  dy: number,
  dz: number,
  depth: number,
  out: Rgba,
): void {
  const surface = scene.ground?.(px, pz);
  if (!surface) return;
  shade(scene, surface, px, 0, pz, dx, dy, dz, GROUND_NORMAL, depth, out);
  const far = smooth(7, 22, Math.sqrt(px * px + pz * pz));
  if (far <= 0) return;
  const [r, g, b] = scene.backdrop(dx, Math.max(dy, 0), dz);
  set(out, mix(out[0], r, far), mix(out[1], g, far), mix(out[2], b, far), 1);
}

function shade(
  scene: Scene,
  surface: Surface,
  px: number,
  py: number,
  pz: number,
  dx: number,
  dy: number,
  dz: number,
  n: Vec3,
  depth: number,
  out: Rgba,
): void {
  const open = openness(scene, px, py, pz, n);
  const ambient = scene.ambient(n[1]);
  let r = ambient[0] * open;
  let g = ambient[1] * open;
  let b = ambient[2] * open;
  for (const { direction, color, hardness } of scene.lights) {
    const facing = n[0] * direction[0] + n[1] * direction[1] + n[2] * direction[2];
    if (facing <= 0) continue;
    const off = 3e-3;
    const light =
      facing *
      lightReaching(scene, px + n[0] * off, py + n[1] * off, pz + n[2] * off, direction, hardness);
    r += color[0] * light;
    g += color[1] * light;
    b += color[2] * light;
  }
  const { color, metal } = surface;
  r *= color[0];
  g *= color[1];
  b *= color[2];
  const cos = -(dx * n[0] + dy * n[1] + dz * n[2]);
  const mirrored = metal > 0 ? 1 : fresnel(cos, surface.f0) * surface.reflect;
  if (mirrored > 0.01 && depth < DEPTH_MAX) {
    const [er, eg, eb] = reflection(scene, surface, px, py, pz, dx, dy, dz, n, cos, depth);
    const rim = metal > 0 ? (1 - clamp(cos, 0, 1)) ** 5 : 0;
    r = metal > 0 ? er * mix(color[0], 1, rim) : mix(r, er, mirrored);
    g = metal > 0 ? eg * mix(color[1], 1, rim) : mix(g, eg, mirrored);
    b = metal > 0 ? eb * mix(color[2], 1, rim) : mix(b, eb, mirrored);
  }
  set(out, r, g, b, 1);
}

function reflection(
  scene: Scene,
  surface: Surface,
  px: number,
  py: number,
  pz: number,
  dx: number,
  dy: number,
  dz: number,
  n: Vec3,
  cos: number,
  depth: number,
): Vec3 {
  const rx = dx + 2 * cos * n[0];
  const ry = dy + 2 * cos * n[1];
  const rz = dz + 2 * cos * n[2];
  let seen: Vec3;
  if (depth < 2) {
    const off = 4e-3;
    const found: Rgba = [0, 0, 0, 0];
    trace(scene, px + n[0] * off, py + n[1] * off, pz + n[2] * off, rx, ry, rz, depth + 1, found);
    seen = [found[0], found[1], found[2]];
  } else {
    seen = scene.env(rx, ry, rz);
  }
  const { rough } = surface;
  if (rough <= 0) return seen;
  const soft = scene.ambient(ry);
  return [mix(seen[0], soft[0], rough), mix(seen[1], soft[1], rough), mix(seen[2], soft[2], rough)];
}

/** The label's colour at a point of a body's front; null beside it. Gold print is metal. */
function readDecal(decal: Decal, px: number, py: number, n: Vec3): Surface | null {
  if (n[2] > -0.9) return null;
  const u = px / decal.width + 0.5;
  const v = 0.5 - (py - decal.centerY) / decal.height;
  if (u < 0 || u >= 1 || v < 0 || v >= 1) return null;
  const fx = u * (decal.pixelWidth - 1);
  const fy = v * (decal.pixelHeight - 1);
  const color: Vec3 = [
    sampleLinear(decal, fx, fy, 0),
    sampleLinear(decal, fx, fy, 1),
    sampleLinear(decal, fx, fy, 2),
  ];
  return { color, metal: 0, rough: 0.7, f0: 0.03, reflect: 0.4 };
}

function sampleLinear(decal: Decal, fx: number, fy: number, channel: number): number {
  const x = Math.floor(fx);
  const y = Math.floor(fy);
  const at = (column: number, row: number): number => {
    const cx = Math.min(column, decal.pixelWidth - 1);
    const cy = Math.min(row, decal.pixelHeight - 1);
    const value = (decal.data[(cy * decal.pixelWidth + cx) * 4 + channel] ?? 0) / 255;
    return value ** 2.2;
  };
  const top = mix(at(x, y), at(x + 1, y), fx - x);
  const bottom = mix(at(x, y + 1), at(x + 1, y + 1), fx - x);
  return mix(top, bottom, fy - y);
}

function refracted(dx: number, dy: number, dz: number, n: Vec3, eta: number): Vec3 | null {
  const c = -(dx * n[0] + dy * n[1] + dz * n[2]);
  const k = 1 - eta * eta * (1 - c * c);
  if (k < 0) return null;
  const q = eta * c - Math.sqrt(k);
  return [eta * dx + q * n[0], eta * dy + q * n[1], eta * dz + q * n[2]];
}

interface Path {
  position: Vec3;
  direction: Vec3;
  /** How much light gets through, per channel. */
  through: [number, number, number];
  /** Light added by inner reflections. */
  added: [number, number, number];
}

function shadeGlass(
  scene: Scene,
  solid: Solid,
  px: number,
  py: number,
  pz: number,
  dx: number,
  dy: number,
  dz: number,
  n: Vec3,
  depth: number,
  out: Rgba,
): void {
  const cos = -(dx * n[0] + dy * n[1] + dz * n[2]);
  const mirrored = fresnel(cos, 0.04);
  const mirror: Rgba = [0, 0, 0, 0];
  const rx = dx + 2 * cos * n[0];
  const ry = dy + 2 * cos * n[1];
  const rz = dz + 2 * cos * n[2];
  const off = 4e-3;
  if (depth === 0) {
    trace(scene, px + n[0] * off, py + n[1] * off, pz + n[2] * off, rx, ry, rz, 1, mirror);
  } else {
    set(mirror, ...scene.env(rx, ry, rz), 1);
  }
  const path = walkThrough(scene, solid, [px, py, pz], [dx, dy, dz], n, 1 - mirrored);
  const [x, y, z] = path.position;
  const [vx, vy, vz] = path.direction;
  const { through, added } = path;
  const behind: Rgba = [0, 0, 0, 0];
  let alpha = 1;
  const seesNothing = depth === 0 && scene.isTransparent && !findHit(scene, x, y, z, vx, vy, vz);
  if (seesNothing) {
    const clear = ((through[0] + through[1] + through[2]) / 3) * CLEAR;
    const rest = 1 - CLEAR;
    set(behind, CLEAR_TINT[0] * rest, CLEAR_TINT[1] * rest, CLEAR_TINT[2] * rest, 1);
    const glint = Math.max(mirror[0], mirror[1], mirror[2]) * mirrored + Math.max(...added);
    alpha = clamp(1 - clear + glint * 0.6, 0, 1);
  } else {
    trace(scene, x, y, z, vx, vy, vz, Math.max(1, depth + 1), behind);
  }
  set(
    out,
    mirror[0] * mirrored + behind[0] * through[0] + added[0],
    mirror[1] * mirrored + behind[1] * through[1] + added[1],
    mirror[2] * mirrored + behind[2] * through[2] + added[2],
    alpha,
  );
}

/** Follows one ray from the outer surface through the nested media until it leaves the body. */
function walkThrough(
  scene: Scene,
  solid: Solid,
  position: Vec3,
  direction: Vec3,
  n: Vec3,
  entering: number,
): Path {
  const { glass } = solid;
  const path: Path = {
    position,
    direction,
    through: [entering, entering, entering],
    added: [0, 0, 0],
  };
  if (!glass) return path;
  path.direction = refracted(...direction, n, 1 / glass.ior) ?? direction;
  // -1: the body itself; else the index of the region.
  let medium = -1;
  for (let i = 0; i < CROSSINGS_MAX; i += 1) {
    const next = nextInterface(solid.sdf, glass.regions, medium, path);
    if (!next) return path;
    absorb(path, medium < 0 ? glass.absorb : (glass.regions[medium]?.absorb ?? null), next.t);
    const from = iorOf(glass.ior, glass.regions, medium);
    const to = next.medium === LEAVES ? 1 : iorOf(glass.ior, glass.regions, next.medium);
    const face = next.medium >= 0 ? glass.regions[next.medium] : glass.regions[medium];
    const isOuter = next.medium === LEAVES || !face;
    if (!cross(scene, path, isOuter ? solid.sdf : face.sdf, from, to)) continue;
    if (next.medium === LEAVES) return path;
    medium = next.medium;
  }
  return path;
}

const LEAVES = -2;

function iorOf(body: number, regions: readonly Region[], medium: number): number {
  return medium < 0 ? body : (regions[medium]?.ior ?? body);
}

function nextInterface(
  body: Sdf3,
  regions: readonly Region[],
  medium: number,
  path: Path,
): { t: number; medium: number } | null {
  const [x, y, z] = path.position;
  const [vx, vy, vz] = path.direction;
  let t = 4e-3;
  for (let i = 0; i < 80 && t < 8; i += 1) {
    const qx = x + vx * t;
    const qy = y + vy * t;
    const qz = z + vz * t;
    const own = medium < 0 ? body : regions[medium]?.sdf;
    let nearest = own ? -own(qx, qy, qz) : 0;
    let into = medium < 0 ? LEAVES : -1;
    for (let r = medium + 1; r < regions.length; r += 1) {
      const d = regions[r]?.sdf(qx, qy, qz) ?? 9;
      if (d < nearest) {
        nearest = d;
        into = r;
      }
    }
    if (nearest < 6e-4) return { t, medium: into };
    t += nearest;
  }
  return null;
}

type Sdf3 = Solid['sdf'];

function absorb(path: Path, per: Vec3 | null, t: number): void {
  const [x, y, z] = path.position;
  const [vx, vy, vz] = path.direction;
  path.position = [x + vx * t, y + vy * t, z + vz * t];
  if (!per) return;
  path.through[0] *= Math.exp(-per[0] * t);
  path.through[1] *= Math.exp(-per[1] * t);
  path.through[2] *= Math.exp(-per[2] * t);
}

/** Bends the ray at an interface; false: total reflection, it stays in its medium. */
function cross(scene: Scene, path: Path, face: Sdf3, from: number, to: number): boolean {
  const [x, y, z] = path.position;
  const [vx, vy, vz] = path.direction;
  let m = normalAt(face, x, y, z);
  if (m[0] * vx + m[1] * vy + m[2] * vz > 0) m = [-m[0], -m[1], -m[2]];
  const cos = -(vx * m[0] + vy * m[1] + vz * m[2]);
  const mirror: Vec3 = [vx + 2 * cos * m[0], vy + 2 * cos * m[1], vz + 2 * cos * m[2]];
  const bent = refracted(vx, vy, vz, m, from / to);
  const off = 2e-3;
  if (!bent) {
    path.direction = mirror;
    path.position = [x + m[0] * off, y + m[1] * off, z + m[2] * off];
    return false;
  }
  const mirrored = fresnel(cos, ((from - to) / (from + to)) ** 2);
  for (const channel of [0, 1, 2] as const) path.through[channel] *= 1 - mirrored;
  if (mirrored > 0.02) {
    const e = scene.env(...mirror);
    for (const channel of [0, 1, 2] as const) {
      path.added[channel] += path.through[channel] * e[channel] * mirrored * 0.8;
    }
  }
  path.direction = bent;
  path.position = [x - m[0] * off, y - m[1] * off, z - m[2] * off];
  return true;
}
