// Starts a real S3 server for tests: OpenStack Swift with its s3api, from Debian's packages, in a throw-away folder
// on free loopback ports. It checks signatures as Amazon does. Nothing of /etc/swift is read or written.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { eventually } from './eventually.ts';
import { freePorts } from './free-ports.ts';
import { S3_ACCOUNT, type SwiftLayout, swiftSettings } from './swift-settings.ts';

const PACKAGES = 'swift-proxy swift-account swift-container swift-object memcached';
const PROGRAMS = [
  'swift-proxy-server',
  'swift-account-server',
  'swift-container-server',
  'swift-object-server',
  'memcached',
];
const PROGRAM_FOLDERS = ['/usr/bin', '/usr/sbin'];
/** The one that Debian's packages are installed for. */
const PYTHON = '/usr/bin/python3';
const START_MS_MAX = 60_000;

/** Arguments: swift_dir, the program, its own arguments. Without this it takes its swift.conf from /etc/swift. */
const RUN_PROGRAM = `
import runpy, sys
from swift.common import utils
utils.set_swift_dir(sys.argv.pop(1))
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name='__main__')
`;

/** Arguments: swift_dir, then kind and port of each ring. */
const BUILD_RINGS = `
import os, sys
from swift.common import utils
utils.set_swift_dir(sys.argv[1])
from swift.common.ring import RingBuilder
for kind, port in zip(sys.argv[2::2], sys.argv[3::2]):
    builder = RingBuilder(2, 1, 0)
    address = {'ip': '127.0.0.1', 'port': int(port)}
    builder.add_dev({'id': 0, 'region': 1, 'zone': 1, 'device': 'd1', 'weight': 1, 'meta': '', **address,
                     'replication_ip': '127.0.0.1', 'replication_port': int(port)})
    builder.rebalance()
    builder.get_ring().save(os.path.join(sys.argv[1], kind + '.ring.gz'))
`;

/** Arguments: folders. Prints the first that keeps extended attributes, in which Swift writes what it knows. */
const FIND_FOLDER = `
import os, sys, tempfile
for folder in sys.argv[1:]:
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            os.setxattr(file.name, 'user.swift.metadata', b'x' * 2000)
        print(folder)
        break
    except OSError:
        pass
`;

export interface SwiftServer {
  endpoint: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
  /** Ends every process of it and removes its folder. */
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
const folders = new Set<string>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A server with one empty bucket. Throws, with what to install, when the machine has no Swift. */
export async function startSwift(): Promise<SwiftServer> {
  const missing = PROGRAMS.filter((name) => findProgram(name) === null);
  if (missing.length > 0) {
    throw new Error(
      `These tests need OpenStack Swift, but ${missing.join(', ')} is missing. On Debian: apt-get install --no-install-recommends ${PACKAGES}`,
    );
  }
  const layout = await prepare();
  const children: ChildProcess[] = [];
  const stop = async () => {
    await Promise.all(children.map(end));
    rmSync(layout.folder, { recursive: true, force: true });
    folders.delete(layout.folder);
  };
  try {
    const output = { text: '' };
    startServers(layout, children, output);
    const endpoint = `http://127.0.0.1:${layout.ports.proxy}`;
    const bucket = 'images';
    await createBucket(endpoint, bucket, () => {
      const dead = children.find((child) => hasEnded(child));
      if (dead) throw new Error(`${dead.spawnargs.join(' ')} ended:\n${output.text}`);
    });
    return { endpoint, bucket, ...S3_ACCOUNT, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function prepare(): Promise<SwiftLayout> {
  const candidates = [tmpdir(), '/var/tmp', '/dev/shm', process.cwd()];
  const parent = python(FIND_FOLDER, candidates).trim();
  if (parent === '') {
    throw new Error(
      `Swift needs a folder with extended attributes, which none of these has: ${candidates.join(', ')}. Set TMPDIR to one on ext4 or XFS.`,
    );
  }
  const folder = mkdtempSync(join(parent, 'runapi-swift-'));
  folders.add(folder);
  const [proxy = 0, account = 0, container = 0, object = 0, memcached = 0] = await freePorts(5);
  const ports = { proxy, account, container, object, memcached };
  const layout = { folder, user: userInfo().username, ports };
  mkdirSync(join(folder, 'devices', 'd1'), { recursive: true });
  for (const [name, text] of Object.entries(swiftSettings(layout))) {
    writeFileSync(join(folder, name), text);
  }
  const rings = { account, container, object };
  python(BUILD_RINGS, [folder, ...Object.entries(rings).flat().map(String)]);
  return layout;
}

function startServers(
  { folder, user, ports }: SwiftLayout,
  children: ChildProcess[],
  output: { text: string },
): void {
  const start = (program: string, args: readonly string[]) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    running.add(child);
    child.once('exit', () => running.delete(child));
    const keep = (chunk: Buffer) => {
      output.text = (output.text + chunk.toString()).slice(-20_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
  };
  const cache = ['-l', '127.0.0.1', '-p', String(ports.memcached), '-U', '0', '-m', '16'];
  start(findProgram('memcached') ?? 'memcached', [...cache, '-u', user]);
  for (const kind of ['account', 'container', 'object', 'proxy']) {
    const program = findProgram(`swift-${kind}-server`) ?? kind;
    const settings = join(folder, `${kind}.conf`);
    start(PYTHON, ['-c', RUN_PROGRAM, folder, program, settings, 'verbose']);
  }
}

async function createBucket(endpoint: string, bucket: string, check: () => void): Promise<void> {
  const { region, ...credentials } = S3_ACCOUNT;
  const client = new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  try {
    await eventually(async () => {
      check();
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
      return true;
    }, START_MS_MAX);
  } finally {
    client.destroy();
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function end(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

function python(program: string, args: readonly string[]): string {
  return execFileSync(PYTHON, ['-c', program, ...args], { encoding: 'utf8' });
}

function findProgram(name: string): string | null {
  return PROGRAM_FOLDERS.map((folder) => join(folder, name)).find(existsSync) ?? null;
}
