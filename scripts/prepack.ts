// Runs before `npm pack` and `npm publish`. What can fail comes first; the manifests are exchanged last.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from './build.ts';
import { exchangeManifest } from './manifest.ts';
import { findNpmPid } from './npm-process.ts';

build();
const token = exchangeManifest();
const npmPid = findNpmPid();
if (npmPid !== null) {
  const postpack = fileURLToPath(new URL('./postpack.ts', import.meta.url));
  const args = [postpack, '--when-gone', String(npmPid), token];
  spawn(process.execPath, args, { detached: true, stdio: 'ignore' }).unref();
}
