import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isolatedConfig, readConfig } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'runapi-config-'));

function file(text: string): string {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(path, text);
  return path;
}

describe('the configuration', () => {
  it('needs nothing: 127.0.0.1:8787 and ./data', () => {
    expect(readConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 8787,
      data_dir: resolve('data'),
      publicUrl: null,
      secret: null,
      bootstrapKey: null,
    });
  });

  it('takes the file, and the environment over the file', () => {
    const config = readConfig(
      { RUNAPI_GATEWAY_PORT: '9001', RUNAPI_GATEWAY_PUBLIC_URL: 'https://img.example.com/' },
      { configFile: file('port: 9000\nhost: 0.0.0.0\n') },
    );
    expect(config).toMatchObject({
      port: 9001,
      host: '0.0.0.0',
      publicUrl: 'https://img.example.com',
    });
  });

  it('reads a secret from the file that …_FILE names', () => {
    const path = file('runapi_from_file\n');
    expect(readConfig({ RUNAPI_GATEWAY_BOOTSTRAP_KEY_FILE: path }).bootstrapKey).toBe(
      'runapi_from_file',
    );
  });

  it.each([
    [{ RUNAPI_GATEWAY_PORT: 'abc' }, 'RUNAPI_GATEWAY_PORT'],
    [{ RUNAPI_GATEWAY_PORT: '70000' }, 'RUNAPI_GATEWAY_PORT'],
    [{ RUNAPI_GATEWAY_PUBLIC_URL: 'example.com' }, 'RUNAPI_GATEWAY_PUBLIC_URL'],
    [{ RUNAPI_GATEWAY_TRUST_PROXY: 'everyone' }, 'RUNAPI_GATEWAY_TRUST_PROXY'],
    [{ RUNAPI_GATEWAY_ALLOW_PRIVATE_URLS: 'lan' }, 'RUNAPI_GATEWAY_ALLOW_PRIVATE_URLS'],
    [{ RUNAPI_GATEWAY_SECRET: 'short' }, 'RUNAPI_GATEWAY_SECRET'],
    [{ RUNAPI_GATEWAY_CONFIG: '/does/not/exist.yaml' }, '/does/not/exist.yaml'],
    [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL'],
    [{ RUNAPI_GATEWAY_ROLES: 'cook' }, 'RUNAPI_GATEWAY_ROLES'],
    [{ RUNAPI_GATEWAY_S3_BUCKET: 'x' }, 'RUNAPI_GATEWAY_S3_BUCKET'],
  ])('a bad %j stops the start and is named', (env, name) => {
    expect(() => readConfig(env)).toThrow(name);
  });

  it.each([
    ['prot: 1\n', 'prot'],
    ['routes: {gpt-image-2: [openai]}\n', 'openai'],
    ['- a\n', 'mapping'],
    ['port: [\n', 'cannot be read'],
    ['engine: {enabled: maybe}\n', 'engine.enabled'],
  ])('a bad file %j stops the start and is named', (text, name) => {
    expect(() => readConfig({}, { configFile: file(text) })).toThrow(name);
  });

  it('of the demo takes nothing from the environment', () => {
    expect(isolatedConfig('/x')).toMatchObject({ data_dir: '/x', port: 0, providers: {} });
  });
});
