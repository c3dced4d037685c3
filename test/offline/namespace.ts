// A network namespace with loopback and no route, in which the kernel counts every try to leave.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const INSIDE = fileURLToPath(new URL('./inside.ts', import.meta.url));
/** Root needs none; others get root inside a namespace of their own, where the system allows it. */
const WAYS: readonly (readonly string[])[] = [[], ['--map-root-user']];

/** The `unshare` arguments that work here; null when none do. */
export function findWay(): readonly string[] | null {
  if (process.platform !== 'linux') return null;
  return WAYS.find((way) => isWorking(way)) ?? null;
}

function isWorking(way: readonly string[]): boolean {
  try {
    const args = ['--net', '--mount', ...way, '--', 'ip', 'link', 'set', 'lo', 'up'];
    execFileSync('unshare', args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs one scenario of `inside.ts` in a namespace and reads the JSON it prints last. Name servers there are
 * addresses without a route, so that a look-up is counted like a connection.
 */
export async function runInside<Result>(
  way: readonly string[],
  scenario: string,
  timeoutMs: number,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-offline-'));
  const resolver = join(folder, 'resolv.conf');
  writeFileSync(
    resolver,
    'nameserver 192.0.2.53\nnameserver 2001:db8::53\noptions timeout:1 attempts:1\n',
  );
  const script =
    'ip link set lo up && mount --bind "$1" /etc/resolv.conf && exec "$2" "$3" "$4" "$5"';
  const args = ['sh', '-c', script, 'sh', resolver, process.execPath, INSIDE, scenario, folder];
  try {
    const stdout = await run('unshare', ['--net', '--mount', ...way, '--', ...args], timeoutMs);
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Result;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[], timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, [...args], { timeout: timeoutMs }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${error.message}\n${stdout}\n${stderr}`));
      else resolve(stdout);
    });
  });
}
