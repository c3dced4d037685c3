// Runs after `npm pack` and `npm publish`; also as the watcher `--when-gone <npm's pid> <token>`.
import { setTimeout as sleep } from 'node:timers/promises';
import { restoreManifest } from './manifest.ts';
import { isAlive } from './npm-process.ts';

const [flag, pid, token] = process.argv.slice(2);
if (flag === '--when-gone') {
  while (isAlive(Number(pid))) await sleep(100);
}
restoreManifest(token);
