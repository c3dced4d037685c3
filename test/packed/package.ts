// Packs a copy of the repository and installs the result in an empty folder. A copy, because packing
// exchanges package.json for a moment, and other tests read it.
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const COPIED = [
  'bin',
  'scripts',
  'src',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'THIRD_PARTY_NOTICES.md',
];

export interface Workspace {
  /** A copy of the repository. */
  clone: string;
  /** An empty folder with an installed gateway, after `install`. */
  project: string;
  npm(folder: string, args: readonly string[]): string;
  pack(): string;
  remove(): void;
}

export function createWorkspace(): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-packed-'));
  const clone = join(folder, 'clone');
  const project = join(folder, 'project');
  mkdirSync(clone);
  mkdirSync(project);
  for (const name of COPIED) cpSync(join(root, name), join(clone, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'), 'junction');
  const npm = (cwd: string, args: readonly string[]) =>
    execFileSync('npm', [...args], {
      cwd,
      env: cleanEnvironment(),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
  return {
    clone,
    project,
    npm,
    pack() {
      npm(clone, ['pack', '--pack-destination', folder]);
      const [tarball] = globSync('*.tgz', { cwd: folder });
      if (tarball === undefined) throw new Error('npm pack made no tarball');
      return join(folder, tarball);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** npm as a person would call it: without what the npm that runs these tests tells its scripts. */
export function cleanEnvironment(): Record<string, string | undefined> {
  const told =
    /^(INIT_CWD|NODE|npm_(package_|lifecycle_|command|execpath|node_execpath|config_local_prefix).*)$/;
  const kept = Object.entries(process.env).filter(([name]) => !told.test(name));
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  return { ...Object.fromEntries(kept), PATH: path };
}
