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

  describe('of S3', () => {
    const keys = {
      RUNAPI_GATEWAY_S3_ACCESS_KEY_ID: 'id',
      RUNAPI_GATEWAY_S3_SECRET_ACCESS_KEY: 'secret',
    };

    it('is absent unless something of it is set', () => {
      expect(readConfig({}).s3).toBeUndefined();
      expect(readConfig({ RUNAPI_GATEWAY_S3_REGION: '' }).s3).toBeUndefined();
    });

    it('needs a bucket and keys; the rest is Amazon’s', () => {
      expect(readConfig({ ...keys, RUNAPI_GATEWAY_S3_BUCKET: 'images' }).s3).toEqual({
        endpoint: null,
        region: 'us-east-1',
        bucket: 'images',
        prefix: 'runapi/',
        accessKeyId: 'id',
        secretAccessKey: 'secret',
        forcePathStyle: false,
      });
    });

    it('takes the section of the file, and the environment over it', () => {
      const configFile = file(
        's3: {endpoint: "http://127.0.0.1:9000", bucket: a, prefix: team/images, region: eu-west-1}\n',
      );
      const env = { ...keys, RUNAPI_GATEWAY_S3_BUCKET: 'b' };
      expect(readConfig(env, { configFile }).s3).toMatchObject({
        endpoint: 'http://127.0.0.1:9000',
        region: 'eu-west-1',
        bucket: 'b',
        prefix: 'team/images/',
        accessKeyId: 'id',
        forcePathStyle: true,
      });
      const hosted = { ...env, RUNAPI_GATEWAY_S3_FORCE_PATH_STYLE: 'false' };
      expect(readConfig(hosted, { configFile }).s3?.forcePathStyle).toBe(false);
    });

    it('reads its keys from files', () => {
      const env = {
        RUNAPI_GATEWAY_S3_BUCKET: 'images',
        RUNAPI_GATEWAY_S3_ACCESS_KEY_ID_FILE: file('id\n'),
        RUNAPI_GATEWAY_S3_SECRET_ACCESS_KEY_FILE: file('secret\n'),
      };
      expect(readConfig(env).s3).toMatchObject({ accessKeyId: 'id', secretAccessKey: 'secret' });
    });

    it.each([
      [{}, 's3.access_key_id (RUNAPI_GATEWAY_S3_ACCESS_KEY_ID): is missing'],
      [
        { RUNAPI_GATEWAY_S3_ACCESS_KEY_ID: 'id' },
        's3.secret_access_key (RUNAPI_GATEWAY_S3_SECRET_ACCESS_KEY): is missing',
      ],
      [
        { ...keys, RUNAPI_GATEWAY_S3_BUCKET: '' },
        's3.bucket (RUNAPI_GATEWAY_S3_BUCKET): is missing',
      ],
      [{ ...keys, RUNAPI_GATEWAY_S3_BUCKET: 'a/b' }, 'RUNAPI_GATEWAY_S3_BUCKET'],
      [{ ...keys, RUNAPI_GATEWAY_S3_ENDPOINT: 'minio:9000' }, 'RUNAPI_GATEWAY_S3_ENDPOINT'],
      [{ ...keys, RUNAPI_GATEWAY_S3_ENDPOINT: 'http://a:b@minio' }, 'RUNAPI_GATEWAY_S3_ENDPOINT'],
      [{ ...keys, RUNAPI_GATEWAY_S3_PREFIX: '/' }, 'RUNAPI_GATEWAY_S3_PREFIX'],
      [{ ...keys, RUNAPI_GATEWAY_S3_PREFIX: 'a/../b' }, 'RUNAPI_GATEWAY_S3_PREFIX'],
      [{ ...keys, RUNAPI_GATEWAY_S3_FORCE_PATH_STYLE: 'maybe' }, 'S3_FORCE_PATH_STYLE'],
      [{ ...keys, RUNAPI_GATEWAY_S3_BUKET: 'x' }, 'RUNAPI_GATEWAY_S3_BUKET'],
      [
        {
          ...keys,
          RUNAPI_GATEWAY_S3_SECRET_ACCESS_KEY: '',
          RUNAPI_GATEWAY_S3_SECRET_ACCESS_KEY_FILE: '/no',
        },
        'RUNAPI_GATEWAY_S3_SECRET_ACCESS_KEY_FILE',
      ],
    ])('a bad or missing part, %j, stops the start and is named', (env, name) => {
      expect(() => readConfig({ RUNAPI_GATEWAY_S3_BUCKET: 'images', ...env })).toThrow(name);
    });

    it.each(['s3: {buket: images}\n', 's3: images\n', 's3: [a]\n', 's3:\n'])(
      'a bad section %j stops the start, with and without variables',
      (text) => {
        const configFile = file(text);
        expect(() => readConfig({}, { configFile })).toThrow('s3');
        const env = { RUNAPI_GATEWAY_S3_REGION: 'eu-west-1' };
        expect(() => readConfig(env, { configFile })).toThrow('s3');
      },
    );
  });

  it('of the demo takes nothing from the environment', () => {
    expect(isolatedConfig('/x')).toMatchObject({ data_dir: '/x', port: 0, providers: {} });
  });
});
