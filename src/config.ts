// The only reader of the environment and of the configuration file. Defaults → file → environment, checked
// once; a bad setting stops the start with a message that names the key, what is wrong and the fix.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import ipaddr from 'ipaddr.js';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { AppError, toError } from './kernel/app-error.ts';
import { SECRET_BYTES_MIN } from './kernel/secret.ts';
import { scriptedConfigSchema } from './providers/scripted/config.ts';
import { s3ConfigSchema } from './storage/s3/config.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const HOUR_MS = 3_600_000;

const S3_VARIABLE = 'RUNAPI_GATEWAY_S3_';
const S3_SETTINGS =
  /^(?:ENDPOINT|BUCKET|REGION|PREFIX|FORCE_PATH_STYLE|(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY)(?:_FILE)?)$/;

const providerSchema = z.discriminatedUnion('type', [scriptedConfigSchema]);

const fileSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(8787),
  data_dir: z.string().min(1).default('./data'),
  public_url: z.string().optional(),
  trust_proxy: z.array(z.string()).default([]),
  allow_private_urls: z.array(z.string()).default([]),
  disk_free_min_mb: z.number().min(0).default(200),
  log_level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  shutdown_ms_max: z.int().min(0).default(600_000),
  roles: z
    .array(z.enum(['http', 'runner']))
    .min(1)
    .default(['http', 'runner']),
  database: z
    .strictObject({
      url: z.string().optional(),
      /** A connection without a transaction pooler, for LISTEN and migrations. */
      direct_url: z.string().optional(),
      pool_max: z.int().min(2).default(10),
    })
    .prefault({}),
  engine: z
    .strictObject({ enabled: z.boolean().default(true), threads: z.int().min(1).optional() })
    .prefault({}),
  tasks: z
    .strictObject({
      deadline_ms: z.int().min(100).default(900_000),
      output_retention_ms: z
        .int()
        .min(1_000)
        .default(7 * 24 * HOUR_MS),
      cancels_per_hour_max: z.int().min(0).default(20),
      uncertain_retry: z.enum(['once', 'never']).default('once'),
      lost_max: z.int().min(1).default(3),
      upstream_slots: z.int().min(1).default(10_000),
      quality: z.enum(['low', 'medium', 'high']).default('medium'),
    })
    .prefault({}),
  providers: z.record(z.string().regex(/^[a-z][a-z0-9_-]*$/), providerSchema).default({}),
  routes: z.record(z.string(), z.array(z.string()).min(1)).default({}),
  /** Absent: images are kept in the data folder. */
  s3: s3ConfigSchema.optional(),
});

export type ProviderConfig = z.infer<typeof providerSchema>;

export interface DatabaseConfig {
  url: string;
  directUrl: string;
  poolMax: number;
}

export interface Config extends Omit<z.infer<typeof fileSchema>, 'public_url' | 'database'> {
  /** PostgreSQL; null: SQLite in the data folder. */
  database: DatabaseConfig | null;
  /** Without trailing slash; null: `http://127.0.0.1:<port>`. */
  publicUrl: string | null;
  /** Null: made on first start and kept in the data folder. */
  secret: Uint8Array | null;
  bootstrapKey: string | null;
  bootstrapBalanceCents: number | null;
  /** For the start's report: where each thing came from. */
  configFile: string | null;
}

/** Reads the configuration. Throws AppError `config_invalid`. */
export function readConfig(env: Environment, options: { configFile?: string } = {}): Config {
  const configFile = options.configFile ?? env['RUNAPI_GATEWAY_CONFIG'] ?? null;
  const fromFile = configFile === null ? {} : readFile(configFile);
  const s3 = mergeSection(fromFile['s3'], s3FromEnvironment(env));
  const settings = check({ ...fromFile, ...fromEnvironment(env), s3 }, configFile);
  checkRoutes(settings);
  checkAddresses(settings.allow_private_urls, 'RUNAPI_GATEWAY_ALLOW_PRIVATE_URLS', true);
  checkAddresses(settings.trust_proxy, 'RUNAPI_GATEWAY_TRUST_PROXY', false);
  const { public_url: publicUrl, database, ...rest } = settings;
  return {
    ...rest,
    data_dir: resolve(settings.data_dir),
    database: readDatabase(env, database),
    publicUrl: publicUrl === undefined ? null : readPublicUrl(publicUrl),
    secret: readSecret(env),
    bootstrapKey: secretText(env, 'RUNAPI_GATEWAY_BOOTSTRAP_KEY'),
    bootstrapBalanceCents: readCents(env, 'RUNAPI_GATEWAY_BOOTSTRAP_BALANCE_CENTS'),
    configFile,
  };
}

/** The configuration of a process that must not depend on where it runs: the demo. */
export function isolatedConfig(dataDir: string): Config {
  return { ...readConfig({}), data_dir: dataDir, port: 0, log_level: 'silent' };
}

function fromEnvironment(env: Environment): Record<string, unknown> {
  const port = env['RUNAPI_GATEWAY_PORT'] ?? env['PORT'];
  const found: Record<string, unknown> = {
    host: env['RUNAPI_GATEWAY_HOST'],
    port: readNumber(port),
    data_dir: env['RUNAPI_GATEWAY_DATA_DIR'],
    public_url: env['RUNAPI_GATEWAY_PUBLIC_URL'],
    trust_proxy: list(env['RUNAPI_GATEWAY_TRUST_PROXY']),
    allow_private_urls: list(env['RUNAPI_GATEWAY_ALLOW_PRIVATE_URLS']),
    log_level: env['RUNAPI_GATEWAY_LOG_LEVEL'],
    disk_free_min_mb: readNumber(env['RUNAPI_GATEWAY_DISK_FREE_MIN_MB']),
    roles: list(env['RUNAPI_GATEWAY_ROLES']),
  };
  return withoutBlank(found);
}

function s3FromEnvironment(env: Environment): Record<string, unknown> {
  const names = Object.keys(env).filter((name) => name.startsWith(S3_VARIABLE) && env[name]);
  const unknown = names.find((name) => !S3_SETTINGS.test(name.slice(S3_VARIABLE.length)));
  if (unknown !== undefined) {
    throw invalid(`${unknown} is set, but there is no such setting. Correct its name or unset it.`);
  }
  const pathStyle = env[`${S3_VARIABLE}FORCE_PATH_STYLE`];
  return withoutBlank({
    endpoint: env[`${S3_VARIABLE}ENDPOINT`],
    bucket: env[`${S3_VARIABLE}BUCKET`],
    region: env[`${S3_VARIABLE}REGION`],
    prefix: env[`${S3_VARIABLE}PREFIX`],
    access_key_id: secretText(env, `${S3_VARIABLE}ACCESS_KEY_ID`) ?? undefined,
    secret_access_key: secretText(env, `${S3_VARIABLE}SECRET_ACCESS_KEY`) ?? undefined,
    force_path_style: pathStyle === 'true' ? true : pathStyle === 'false' ? false : pathStyle,
  });
}

/** A section of the file under what the environment says about it. */
function mergeSection(fromFile: unknown, fromEnv: Record<string, unknown>): unknown {
  if (Object.keys(fromEnv).length === 0) return fromFile;
  const isSection = typeof fromFile === 'object' && !Array.isArray(fromFile);
  return fromFile === undefined || isSection ? { ...fromFile, ...fromEnv } : fromFile;
}

function withoutBlank(settings: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).filter(([, value]) => value !== undefined && value !== ''),
  );
}

/** What is no number becomes NaN, which the schema refuses by name. */
function readNumber(text: string | undefined): number | undefined {
  return text === undefined || text.trim() === '' ? undefined : Number(text);
}

function list(text: string | undefined): string[] | undefined {
  if (text === undefined || text.trim() === '') return undefined;
  return text.split(/[\s,]+/).filter((part) => part !== '');
}

function readFile(path: string): Record<string, unknown> {
  if (!existsSync(path)) throw invalid(`The configuration file ${resolve(path)} does not exist.`);
  try {
    const parsed: unknown = parseYaml(readFileSync(path, 'utf8'));
    if (parsed === null) return {};
    if (typeof parsed !== 'object' || Array.isArray(parsed)) throw new Error('it holds no mapping');
    return parsed as Record<string, unknown>;
  } catch (error) {
    throw invalid(
      `The configuration file ${resolve(path)} cannot be read: ${toError(error).message}`,
    );
  }
}

function check(settings: unknown, configFile: string | null): z.infer<typeof fileSchema> {
  const result = fileSchema.safeParse(settings);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => {
    // A place in a list is no part of the setting's name.
    const path = issue.path.filter((part) => typeof part !== 'number');
    const key = path.join('.');
    // Of the nested settings only those of S3 have variables.
    const hasVariable = path.length === (path[0] === 's3' ? 2 : 1);
    const variable = `RUNAPI_GATEWAY_${key.replace('.', '_').toUpperCase()}`;
    const name = key === '' ? 'configuration' : key;
    return `${name}${hasVariable ? ` (${variable})` : ''}: ${issue.message}`;
  });
  const where =
    configFile === null ? 'the environment' : `${resolve(configFile)} or the environment`;
  throw invalid(`Settings in ${where} are wrong:\n  ${lines.join('\n  ')}`);
}

function checkRoutes(settings: z.infer<typeof fileSchema>): void {
  const known = new Set([...Object.keys(settings.providers), 'illustrator']);
  for (const [model, providers] of Object.entries(settings.routes)) {
    const unknown = providers.find((id) => !known.has(id));
    if (unknown === undefined) continue;
    throw invalid(
      `routes.${model} names the provider "${unknown}", which providers does not define. Defined: ${[...known].join(', ')}.`,
    );
  }
}

/** `entries` are CIDRs or, where allowed, `host:port`. */
function checkAddresses(entries: readonly string[], key: string, isHostAllowed: boolean): void {
  for (const entry of entries) {
    if (entry.includes('/') ? ipaddr.isValidCIDR(entry) : isHostAllowed && /.:\d+$/.test(entry))
      continue;
    const forms = isHostAllowed ? 'a CIDR (10.0.0.0/8) or host:port' : 'a CIDR (10.0.0.0/8)';
    throw invalid(`${key}: "${entry}" is not ${forms}.`);
  }
}

function readPublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw invalid(
      `RUNAPI_GATEWAY_PUBLIC_URL: "${text}" is not an http or https URL such as https://images.example.com.`,
    );
  }
  return text.replace(/\/+$/, '');
}

function readDatabase(
  env: Environment,
  file: { url?: string | undefined; direct_url?: string | undefined; pool_max: number },
): DatabaseConfig | null {
  const url = secretText(env, 'DATABASE_URL') ?? file.url ?? null;
  if (url === null) return null;
  const directUrl = secretText(env, 'DATABASE_DIRECT_URL') ?? file.direct_url ?? url;
  for (const [name, text] of Object.entries({
    DATABASE_URL: url,
    DATABASE_DIRECT_URL: directUrl,
  })) {
    if (/^postgres(?:ql)?:\/\/./.test(text) && URL.canParse(text)) continue;
    throw invalid(`${name} must look like postgres://user:password@host:5432/database.`);
  }
  return { url, directUrl, poolMax: file.pool_max };
}

function readSecret(env: Environment): Uint8Array | null {
  const text = secretText(env, 'RUNAPI_GATEWAY_SECRET');
  if (text === null) return null;
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.byteLength >= SECRET_BYTES_MIN) return bytes;
  throw invalid(
    `RUNAPI_GATEWAY_SECRET holds ${bytes.byteLength} bytes; it needs at least ${SECRET_BYTES_MIN} random ones, for example from: openssl rand -base64 32`,
  );
}

/** A secret from `NAME` or the file named by `NAME_FILE`. */
function secretText(env: Environment, name: string): string | null {
  const direct = env[name];
  if (direct !== undefined && direct !== '') return direct;
  const path = env[`${name}_FILE`];
  if (path === undefined || path === '') return null;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    throw invalid(`${name}_FILE: ${path} cannot be read: ${toError(error).message}`);
  }
}

function readCents(env: Environment, name: string): number | null {
  const text = env[name];
  if (text === undefined || text === '') return null;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw invalid(`${name} must be a whole number of US cents, such as 5000; it is ${text}.`);
}

function invalid(message: string): AppError {
  return new AppError('config_invalid', message);
}
