// The packages that come along with an installed gateway, read from the lock file, so that the list is the
// same on every system, whatever of it is installed here.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export interface LockedPackage {
  name: string;
  version: string;
  license: string;
  /** Where it is installed, if it is, from the repository's root. */
  folder: string;
  /** Only some systems install it. */
  isOptional: boolean;
}

interface LockEntry {
  version?: string;
  license?: string;
  dev?: boolean;
  devOptional?: boolean;
  optional?: boolean;
}

/** The Node.js that a clone brings along; the published package does not. */
export const CARRIED_RUNTIME = /^node-(linux|win|darwin)-/;

/** Everything the published package depends on, directly or not, by name. */
export function listProductionPackages(): LockedPackage[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockEntry>;
  };
  return Object.entries(lock.packages)
    .filter(([folder, entry]) => folder !== '' && !entry.dev)
    .map(([folder, entry]) => ({
      name: folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: entry.version ?? '',
      license: entry.license ?? '',
      folder,
      isOptional: entry.optional === true || entry.devOptional === true,
    }))
    .filter(({ name }) => !CARRIED_RUNTIME.test(name))
    .sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

/** The first copyright line of a package's licence; empty when it has none or is not installed. */
export function copyrightOf({ folder }: LockedPackage): string {
  const path = join(root, folder);
  if (!existsSync(path)) return '';
  const file = readdirSync(path).find((name) => /^(licen[cs]e|copying)/i.test(name));
  if (file === undefined) return '';
  const lines = readFileSync(join(path, file), 'utf8').split('\n');
  const line =
    lines.find((text) => /^\W*Copyright (\([Cc]\)|©|\d|(?!Holder)[A-Z])/.test(text)) ?? '';
  // One line may hold the copyrights of several font files.
  const [first = ''] = line.split(/ \S+\.ttf: /);
  return first.replace(/^\W+/, '').replace(/\s+/g, ' ').replaceAll('|', '').trim();
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
