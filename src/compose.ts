// The only file that knows every concrete part. Builds them once, wires them, and takes them down in reverse.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startControlSocket } from './cli/control-socket.ts';
import type { Gateway, GatewayModel } from './cli/gateway.ts';
import type { Config, ProviderConfig } from './config.ts';
import { ensureBootstrapKey } from './domain/accounts/index.ts';
import { defaultCatalog, listModels } from './domain/catalog/index.ts';
import type { DomainContext, RoutedProvider, RouteTable } from './domain/context.ts';
import { createEventHub } from './domain/events/hub.ts';
import type { GatewayStore } from './domain/operations.ts';
import { createEngine } from './engine/index.ts';
import { createHttpServer } from './http/app.ts';
import { AppError } from './kernel/app-error.ts';
import type { BlobStore } from './kernel/blob-store.ts';
import { createSystemClock } from './kernel/clock.ts';
import { type Logger, silentLogger } from './kernel/logger.ts';
import { createOutbound } from './kernel/outbound.ts';
import { createSecrets, type Secrets } from './kernel/secret.ts';
import { createIllustratorProvider } from './providers/illustrator/illustrator-provider.ts';
import type { Provider } from './providers/provider.ts';
import { createScriptedProvider } from './providers/scripted/provider.ts';
import { type Runner, startRunner } from './runner/index.ts';
import { createDiskBlobStore } from './storage/disk/blob-store.ts';
import { createS3BlobStore } from './storage/s3/blob-store.ts';
import { createSqliteStore } from './storage/sqlite/store.ts';

const ILLUSTRATOR = 'illustrator';

/** Starts a whole gateway in this process; resolves when it serves. */
export async function startGateway(
  config: Config,
  options: { log: Logger; version: string },
): Promise<Gateway> {
  const { log, version } = options;
  const isNewDataDir = !existsSync(join(config.data_dir, 'gateway.db'));
  const store = await createSqliteStore({ dataDir: config.data_dir });
  try {
    return await start(config, { log, version, store, isNewDataDir });
  } catch (error) {
    await store.stop();
    throw error;
  }
}

async function start(
  config: Config,
  parts: { log: Logger; version: string; store: GatewayStore; isNewDataDir: boolean },
): Promise<Gateway> {
  const { log, version, store, isNewDataDir } = parts;
  const secrets = await openSecrets(config, store);
  const providers = buildProviders(config);
  const ctx = await buildContext(config, { log, store, secrets, providers });
  const state: { runner: Runner | null } = { runner: null };
  const http = createHttpServer({
    ctx,
    version,
    describeModels: () => describeModels(ctx),
    trustProxy: config.trust_proxy,
    isReady: () => state.runner !== null,
    log,
  });
  const { newKey } = await ensureBootstrapKey(ctx, config.bootstrapKey);
  const { port } = await http.listen(config.host, config.port);
  ctx.settings.publicUrl = config.publicUrl ?? `http://127.0.0.1:${port}`;
  state.runner = await startRunner(ctx, providers, {
    uncertainRetry: config.tasks.uncertain_retry,
    lostMax: config.tasks.lost_max,
    builtInSlots: 1,
    upstreamSlots: config.tasks.upstream_slots,
  });
  const control = await startControlSocket(join(config.data_dir, 'control.sock'), ctx);
  return {
    url: ctx.settings.publicUrl,
    dataDir: config.data_dir,
    isNewDataDir,
    newKey,
    models: describeModels(ctx),
    async stop(now) {
      const { runner } = state;
      state.runner = null;
      await http.drain();
      await runner?.stop({ maxMs: config.shutdown_ms_max, now });
      await control.stop();
      await http.close();
      for (const provider of providers.values()) await provider.stop?.();
      await ctx.outbound.stop();
      await ctx.blobs.stop?.();
      await store.stop();
    },
  };
}

async function buildContext(
  config: Config,
  parts: {
    log: Logger;
    store: GatewayStore;
    secrets: Secrets;
    providers: ReadonlyMap<string, Provider>;
  },
): Promise<DomainContext> {
  const { log, store, secrets, providers } = parts;
  return {
    store,
    log,
    blobs: await openBlobs(config),
    clock: createSystemClock(),
    events: createEventHub(),
    catalog: defaultCatalog,
    routes: buildRoutes(config, providers),
    hashKey: (token) => secrets.hash('api-keys', token),
    outbound: createOutbound(config.allow_private_urls),
    settings: {
      // Port 0 is known only after listening; nothing is answered before that.
      publicUrl: config.publicUrl ?? '',
      taskDeadlineMs: config.tasks.deadline_ms,
      outputRetentionMs: config.tasks.output_retention_ms,
      cancelsPerHourMax: config.tasks.cancels_per_hour_max,
      routeQuality: config.tasks.quality,
    },
  };
}

function openBlobs({ s3, data_dir: dataDir }: Config): Promise<BlobStore> {
  return s3 ? createS3BlobStore(s3) : createDiskBlobStore({ dir: join(dataDir, 'blobs') });
}

function buildProviders(config: Config): ReadonlyMap<string, Provider> {
  const providers = new Map<string, Provider>();
  for (const [id, settings] of Object.entries(config.providers)) {
    providers.set(id, buildProvider(id, settings));
  }
  if (config.engine.enabled) {
    const { threads } = config.engine;
    const engine = createEngine(threads === undefined ? {} : { threads });
    providers.set(ILLUSTRATOR, createIllustratorProvider(engine));
  }
  return providers;
}

function buildProvider(id: string, settings: ProviderConfig): Provider {
  return createScriptedProvider({
    id,
    form: settings.form,
    baseUrl: settings.base_url,
    isRepeatable: settings.repeatable,
  });
}

/**
 * A model's own route, else the route `*`, else the illustrator: it answers only while no image provider is
 * routed to the model, and is never a fallback behind one. Sandbox keys reach nothing else.
 */
function buildRoutes(config: Config, providers: ReadonlyMap<string, Provider>): RouteTable {
  const builtIn = toRouted([ILLUSTRATOR], providers);
  const routes = new Map(
    Object.entries(config.routes).map(([model, ids]) => [model, toRouted(ids, providers)]),
  );
  return {
    providersFor(model, isLive) {
      if (!isLive) return builtIn;
      return routes.get(model) ?? routes.get('*') ?? builtIn;
    },
  };
}

function toRouted(
  ids: readonly string[],
  providers: ReadonlyMap<string, Provider>,
): readonly RoutedProvider[] {
  return ids.flatMap((id) => {
    const provider = providers.get(id);
    return provider ? [{ id, isBuiltIn: provider.isBuiltIn }] : [];
  });
}

function describeModels(ctx: DomainContext): readonly GatewayModel[] {
  const models = new Set(listModels(ctx.catalog).map(({ model }) => model));
  return [...models].map((model) => ({
    model,
    provider: ctx.routes.providersFor(model, true)[0]?.id ?? null,
  }));
}

/** The secret of this installation; a data folder made under another secret refuses to start. */
async function openSecrets(config: Config, store: GatewayStore): Promise<Secrets> {
  const secrets = createSecrets(config.secret ?? (await ownSecret(config.data_dir)));
  const check = secrets.hash('check', 'runapi-gateway');
  const { stored } = await store.run('accounts.secretCheck', { check });
  if (stored === check) return secrets;
  throw new AppError(
    'config_invalid',
    `RUNAPI_GATEWAY_SECRET is not the secret under which ${config.data_dir} was made. Set the original secret, or use another data folder.`,
  );
}

async function ownSecret(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, 'secret');
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (!existsSync(path)) {
    await writeFile(path, randomBytes(48).toString('base64'), { mode: 0o600, flag: 'wx' });
  }
  await chmod(path, 0o600);
  return Buffer.from(await readFile(path, 'utf8'));
}

/** A context on a data folder that no gateway serves now; it runs nothing. */
export async function openOffline(
  config: Config,
): Promise<{ ctx: DomainContext; close(): Promise<void> }> {
  if (!existsSync(join(config.data_dir, 'gateway.db'))) {
    throw new AppError(
      'config_invalid',
      `There is no gateway data in ${config.data_dir}. Set RUNAPI_GATEWAY_DATA_DIR to the folder of your gateway.`,
    );
  }
  const store = await createSqliteStore({ dataDir: config.data_dir });
  const secrets = await openSecrets(config, store);
  const providers = new Map<string, Provider>();
  const ctx = await buildContext(config, { log: silentLogger, store, secrets, providers });
  return { ctx, close: () => store.stop() };
}
