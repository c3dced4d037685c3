// What is published: packed, installed in an empty folder, run.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanEnvironment, createWorkspace, type Workspace } from './package.ts';

let workspace: Workspace;
let tarball: string;
let entries: string[];
let installed: string;

beforeAll(() => {
  workspace = createWorkspace();
  tarball = workspace.pack();
  entries = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).trim().split('\n');
  workspace.npm(workspace.project, ['install', '--no-save', '--no-package-lock', tarball]);
  installed = join(workspace.project, 'node_modules', 'runapi-gateway');
});

afterAll(() => workspace?.remove());

/** The command as npm links it, under the Node.js that runs this test. */
function run(args: readonly string[]) {
  const bin = join(installed, 'bin', 'runapi-gateway.js');
  return spawnSync(process.execPath, [bin, ...args], {
    cwd: workspace.project,
    env: cleanEnvironment(),
    encoding: 'utf8',
  });
}

describe('the tarball', () => {
  it('holds compiled code and no sources, tests or settings', () => {
    console.log(
      `tarball: ${Math.ceil(statSync(tarball).size / 1024)} KiB, ${entries.length} files`,
    );
    const folders = new Set(entries.map((entry) => entry.split('/').slice(1, 2).join('')));
    const known = ['CHANGELOG.md', 'LICENSE', 'README.md', 'THIRD_PARTY_NOTICES.md', 'bin', 'dist'];
    expect([...folders].sort()).toEqual([...known, 'package.json']);
    expect(entries.filter((entry) => /\.ts$/.test(entry) && !/\.d\.ts$/.test(entry))).toEqual([]);
    expect(entries.filter((entry) => /\.(test|suite)\./.test(entry))).toEqual([]);
    expect(entries.filter((entry) => /scripted\/server/.test(entry))).toEqual([]);
  });

  it('refers to no TypeScript file', () => {
    const files = globSync('{bin,dist}/**/*.{js,d.ts}', { cwd: installed });
    expect(files.length).toBeGreaterThan(100);
    const texts = [...files, 'package.json'].map((name) =>
      readFileSync(join(installed, name), 'utf8'),
    );
    expect(texts.filter((text) => /(?<!\.d)\.ts\b/.test(text))).toEqual([]);
  });

  it('has a package.json without scripts, tools and a carried Node.js', () => {
    const manifest: unknown = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
    expect(Object.keys(manifest as object).sort()).toEqual(
      'bin,dependencies,description,engines,files,imports,license,name,type,version'.split(','),
    );
    expect(globSync('node-*', { cwd: join(workspace.project, 'node_modules') })).toEqual([]);
  });
});

describe('an installed gateway', () => {
  it('has its command linked', () => {
    expect(
      globSync('runapi-gateway*', { cwd: join(workspace.project, 'node_modules', '.bin') }),
    ).not.toEqual([]);
  });

  it('says its version', () => {
    const { status, stdout } = run(['--version']);
    expect(stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/);
    expect(status).toBe(0);
  });

  // The demo needs the thread of the store and those of the engine.
  it('draws the picture of the demo', () => {
    const { status, stderr } = run(['demo', '--out', 'demo.png']);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const png = readFileSync(join(workspace.project, 'demo.png'));
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1728, 2304]);
  });
});

describe('packing', () => {
  const manifest = () => readFileSync(join(workspace.clone, 'package.json'), 'utf8');
  const kept = () => join(workspace.clone, '.package.json.orig');

  it('puts package.json back', () => {
    expect(manifest()).toContain('"devDependencies"');
    expect(existsSync(kept())).toBe(false);
  });

  it('puts package.json back when npm fails half way', async () => {
    const before = manifest();
    const nowhere = join(workspace.clone, 'package.json', 'nowhere');
    expect(() => workspace.npm(workspace.clone, ['pack', '--pack-destination', nowhere])).toThrow();
    for (let waits = 0; existsSync(kept()) && waits < 100; waits += 1) await sleep(100);
    expect(manifest()).toBe(before);
  });
});
