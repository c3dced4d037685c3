// The only file that knows every concrete part. Builds them once, wires them, and takes them down in reverse.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, statfs } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { startControlSocket } from './cli/control-socket.ts';
import type { Gateway, GatewayModel } from './cli/gateway.ts';
import type { Config, ProviderConfig } from './config.ts';
import { ensureBootstrapKey } from './domain/accounts/index.ts';
import { defaultCatalog, listModels } from './domain/catalog/index.ts';
import type { DomainContext, RoutedProvider, RouteTable } from './domain/context.ts';
import { createEventHub } from './domain/events/hub.ts';
import type { GatewayStore } from './domain/operations.ts';
import { failUnfinishedTasks } from './domain/tasks/index.ts';
import { createEngine } from './engine/index.ts';
import { createHttpServer } from './http/app.ts';
import { AppError } from './kernel/app-error.ts';
import { type Clock, createSystemClock, sleep } from './kernel/clock.ts';
import { syncFolder, writeSynced } from './kernel/durable-file.ts';
import { type Logger, silentLogger } from './kernel/logger.ts';
import { centsToMicroCents } from './kernel/money.ts';
import { createOutbound } from './kernel/outbound.ts';
import { createSecrets, type Secrets } from './kernel/secret.ts';
import { createIllustratorProvider } from './providers/illustrator/illustrator-provider.ts';
import type { Provider } from './providers/provider.ts';
import { createScriptedProvider } from './providers/scripted/provider.ts';
import { type Runner, startRunner } from './runner/index.ts';
import * as storage from './storage/open.ts';
import type { PostgresStore } from './storage/postgres/store.ts';

const ILLUSTRATOR = 'illustrator';
const DISK_LOOK_MS = 1_000;

/** Starts a whole gateway in this process; resolves when it serves. */
export async function startGateway(
  config: Config,
  options: { log: Logger; version: string; isAfterRestore?: boolean },
): Promise<Gateway> {
  const { log, version, isAfterRestore = false } = options;
  if (config.database === null) await storage.checkRestored(config.data_dir, isAfterRestore);
  const isNewDataDir = !existsSync(join(config.data_dir, 'gateway.db'));
  const store = await storage.openStore(config, version, log);
  try {
    const restored = isAfterRestore ? await endUnfinished(config, store) : null;
    return { ...(await start(config, { log, version, store, isNewDataDir })), restored };
  } catch (error) {
    await store.stop();
    throw error;
  }
}

/** Before anything is served or run: what a restored store holds unfinished may have been paid for elsewhere. */
async function endUnfinished(
  config: Config,
  store: GatewayStore,
): Promise<{ failed: number; completed: number }> {
  // In a data folder the lock says that nobody else is there.
  const alive = config.database === null ? [] : await store.run('nodes.list', {});
  if (alive.length > 0) {
    const names = alive.map(({ name }) => name).join(', ');
    throw new AppError(
      'config_invalid',
      `--after-restore fails every unfinished task, and ${names} may be working on some. Only the first node after a restore takes it. If no node runs, wait 15 seconds and start again.`,
    );
  }
  const counts = await failUnfinishedTasks({ store });
  if (config.database === null) await storage.forgetRestore(config.data_dir);
  return counts;
}

async function start(
  config: Config,
  parts: { log: Logger; version: string; store: storage.OpenedStore; isNewDataDir: boolean },
): Promise<Omit<Gateway, 'restored'>> {
  const { log, version, store, isNewDataDir } = parts;
  const secrets = await openSecrets(config, store);
  const providers = buildProviders(config);
  const ctx = await buildContext(config, { log, store, secrets, providers });
  if ('onChanges' in store) joinFleet(store, ctx);
  const state: { runner: Runner | null; isServing: boolean } = { runner: null, isServing: false };
  const http = createHttpServer({
    ctx,
    version,
    describeModels: () => describeModels(ctx),
    trustProxy: config.trust_proxy,
    isHealthOnly: !config.roles.includes('http'),
    isReady: async () =>
      state.isServing && state.runner?.isDraining() !== true && (await isStoreUp(store)),
    log,
  });
  const { newKey } = await ensureBootstrapKey(
    ctx,
    config.bootstrapKey,
    config.bootstrapBalanceCents === null ? null : centsToMicroCents(config.bootstrapBalanceCents),
  );
  const { port } = await http.listen(config.host, config.port);
  ctx.settings.publicUrl = config.publicUrl ?? `http://127.0.0.1:${port}`;
  if (config.roles.includes('runner')) {
    state.runner = await startRunner(ctx, providers, {
      uncertainRetry: config.tasks.uncertain_retry,
      lostMax: config.tasks.lost_max,
      builtInSlots: 1,
      upstreamSlots: config.tasks.upstream_slots,
      node: {
        name: `${hostname()}:${process.pid}`,
        version,
        settingsHash: hashSettings(ctx, config),
      },
    });
  }
  state.isServing = true;
  // With a shared database commands go there; nodes may share the folder.
  const socket = join(config.data_dir, 'control.sock');
  const control = config.database === null ? await startControlSocket(socket, ctx) : null;
  return {
    url: ctx.settings.publicUrl,
    dataDir: config.data_dir,
    database: config.database === null ? null : storage.describeStore(config),
    isNewDataDir,
    newKey,
    models: describeModels(ctx),
    async stop(now) {
      state.isServing = false;
      await http.drain();
      await state.runner?.stop({ maxMs: config.shutdown_ms_max, now });
      await control?.stop();
      await http.close();
      for (const provider of providers.values()) await provider.stop?.();
      await ctx.outbound.stop();
      await ctx.blobs.stop?.();
      await store.stop();
    },
  };
}

/** Listeners here hear of tasks that run elsewhere, and the other way round. */
function joinFleet(store: PostgresStore, { events }: DomainContext): void {
  store.onChanges(({ taskIds, isNewWork }) => {
    if (taskIds === 'all') events.publishAll();
    else for (const taskId of taskIds) events.receive(taskId, { kind: 'state' });
    if (isNewWork) events.nudge();
  });
  store.onNews(({ taskId, news }) => events.receive(taskId, news));
  events.onLiveNews((taskId, news) => store.tell(taskId, news));
}

/** Looked at once a second at most: every create asks. */
function createDiskGauge(folder: string, clock: Clock): () => Promise<number> {
  let seen: { bytes: Promise<number>; until: number } | null = null;
  return () => {
    const now = clock.monotonic();
    if (seen === null || seen.until <= now) {
      const bytes = statfs(folder).then(({ bavail, bsize }) => bavail * bsize);
      seen = { bytes, until: now + DISK_LOOK_MS };
    }
    return seen.bytes;
  };
}

/** Of what decides how a node answers: `doctor` compares the nodes'. */
function hashSettings({ catalog }: DomainContext, { providers, routes, tasks }: Config): string {
  const text = JSON.stringify([catalog, providers, routes, tasks]);
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Whether the store answers within a second. */
async function isStoreUp(store: GatewayStore): Promise<boolean> {
  const asked = store.run('accounts.findKey', { hash: '' }).then(
    () => true,
    () => false,
  );
  return Promise.race([asked, sleep(1_000).then(() => false)]);
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
  const clock = createSystemClock();
  return {
    store,
    log,
    blobs: await storage.openBlobs(config),
    clock,
    events: createEventHub(),
    catalog: defaultCatalog,
    routes: buildRoutes(config, providers),
    hashKey: (token) => secrets.hash('api-keys', token),
    outbound: createOutbound(config.allow_private_urls),
    freeDiskBytes: storage.usesLocalDisk(config)
      ? createDiskGauge(config.data_dir, clock)
      : async () => Number.POSITIVE_INFINITY,
    settings: {
      // Port 0 is known only after listening; nothing is answered before that.
      publicUrl: config.publicUrl ?? '',
      taskDeadlineMs: config.tasks.deadline_ms,
      outputRetentionMs: config.tasks.output_retention_ms,
      cancelsPerHourMax: config.tasks.cancels_per_hour_max,
      routeQuality: config.tasks.quality,
      diskFreeMinBytes: config.disk_free_min_mb * 2 ** 20,
    },
  };
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

/** The secret of this installation; data made under another secret refuses to start. */
async function openSecrets(config: Config, store: GatewayStore): Promise<Secrets> {
  const secrets = createSecrets(config.secret ?? (await ownSecret(config, store)));
  const check = secrets.hash('check', 'runapi-gateway');
  const { stored } = await store.run('accounts.secretCheck', { check });
  if (stored === check) return secrets;
  throw new AppError(
    'config_invalid',
    `RUNAPI_GATEWAY_SECRET is not the secret under which ${storage.describeStore(config)} was made. Set the original secret on every node, or use other storage.`,
  );
}

/** Made on first start: kept in the data folder, or in the database where nodes share one. */
async function ownSecret(config: Config, store: GatewayStore): Promise<Uint8Array> {
  const candidate = randomBytes(48).toString('base64');
  if (config.database) {
    return Buffer.from((await store.run('accounts.keepSecret', { candidate })).stored);
  }
  const path = join(config.data_dir, 'secret');
  await mkdir(config.data_dir, { recursive: true, mode: 0o700 });
  if (!existsSync(path)) {
    await writeSynced(path, candidate);
    await syncFolder(config.data_dir);
  }
  await chmod(path, 0o600);
  return Buffer.from(await readFile(path, 'utf8'));
}

/** A context on storage that no gateway serves now, or on a shared database; it runs nothing. */
export async function openOffline(
  config: Config,
  version: string,
): Promise<{ ctx: DomainContext; close(): Promise<void> }> {
  if (!storage.hasData(config)) {
    throw new AppError(
      'config_invalid',
      `There is no gateway data in ${config.data_dir}. Set RUNAPI_GATEWAY_DATA_DIR to the folder of your gateway.`,
    );
  }
  const store = await storage.openStore(config, version, silentLogger);
  const secrets = await openSecrets(config, store);
  const providers = new Map<string, Provider>();
  const ctx = await buildContext(config, { log: silentLogger, store, secrets, providers });
  return { ctx, close: () => store.stop() };
}

export const migrateStore = (
  config: Config,
  options: { version: string; isDryRun: boolean },
): ReturnType<typeof storage.migrateStore> => storage.migrateStore(config, options);

export const probeStorage = (
  config: Config,
  version: string,
): ReturnType<typeof storage.probeStorage> => storage.probeStorage(config, version);

export const backUp = (
  config: Config,
  options: Omit<Parameters<typeof storage.backUp>[1], 'startedAt'>,
): ReturnType<typeof storage.backUp> =>
  storage.backUp(config, { ...options, startedAt: createSystemClock().now() });

export const restoreBackup = (
  options: Parameters<typeof storage.restoreBackup>[0],
): ReturnType<typeof storage.restoreBackup> => storage.restoreBackup(options);

export const describeStorage = (config: Config): { database: string; blobs: string } => ({
  database: storage.describeStore(config),
  blobs: storage.describeBlobs(config),
});
