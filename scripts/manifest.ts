// The package.json of the published package, and the exchange of the two while npm packs.
// npm packs the file that lies in the folder, so for that moment the published one must lie there. The
// repository's own is kept aside and put back by `postpack`, or by a watcher that outlives npm when packing
// fails or is killed. (By hand, after a power cut: node scripts/postpack.ts.)
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

type Manifest = Record<string, unknown>;

const manifestFile = fileURLToPath(new URL('../package.json', import.meta.url));
const keptFile = fileURLToPath(new URL('../.package.json.orig', import.meta.url));

/** Nothing that only a clone can use: no scripts, no tools, no carried Node.js, no TypeScript. */
export function toPublishedManifest(manifest: Manifest): Manifest {
  const { scripts, devDependencies, optionalDependencies, imports, ...published } = manifest;
  return { ...published, imports: { '#main': './dist/main.js' } };
}

/** Puts the published manifest in place. The token names this exchange for `restoreManifest`. */
export function exchangeManifest(): string {
  const token = `${process.pid}-${Date.now()}`;
  const own = readFileSync(manifestFile, 'utf8');
  const published = toPublishedManifest(JSON.parse(own) as Manifest);
  writeWhole(keptFile, JSON.stringify({ token, own }));
  writeWhole(manifestFile, `${JSON.stringify(published, null, 2)}\n`);
  return token;
}

/** Puts the repository's manifest back, if one is kept aside (by the exchange of `token`, if given). */
export function restoreManifest(token?: string): void {
  if (!existsSync(keptFile)) return;
  const kept = JSON.parse(readFileSync(keptFile, 'utf8')) as { token: string; own: string };
  if (token !== undefined && kept.token !== token) return;
  writeWhole(manifestFile, kept.own);
  rmSync(keptFile);
}

/** By renaming, so that no reader and no crash ever sees half a file. */
function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
