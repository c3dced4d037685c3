import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CliDeps, CommandConfig, Gateway } from './gateway.ts';
import { createLogger } from './log.ts';

/** Serves until a signal; a second signal ends it at once. Exit code 0 after a stop that was asked for. */
export async function runServe<Config extends CommandConfig>(
  deps: CliDeps<Config>,
  options: { config?: string; json?: boolean; afterRestore?: boolean },
): Promise<number> {
  const config = deps.readConfig(
    options.config === undefined ? {} : { configFile: options.config },
  );
  const log = createLogger(config.log_level);
  const now = new AbortController();
  const asked = new Promise<void>((resolve) => {
    let count = 0;
    deps.onSignal(() => {
      count += 1;
      if (count > 1) now.abort();
      resolve();
    });
  });
  const gateway = await deps.startGateway(config, {
    log,
    version: deps.version,
    isAfterRestore: options.afterRestore === true,
  });
  const shownKey = await placeKey(deps, gateway);
  deps.stdout.write(
    options.json ? `${JSON.stringify(toReport(gateway))}\n` : report(deps, gateway, shownKey),
  );
  await asked;
  log.info({}, 'stopping: running work may finish; a second signal stops at once');
  await gateway.stop(now.signal);
  return 0;
}

/** A new key is shown on a terminal, otherwise kept in a file; it never enters a log. */
async function placeKey(deps: Pick<CliDeps, 'stdout'>, gateway: Gateway): Promise<string | null> {
  if (gateway.newKey === null) return null;
  if (deps.stdout.isTTY) return gateway.newKey;
  await writeFile(join(gateway.dataDir, 'first-key'), `${gateway.newKey}\n`, { mode: 0o600 });
  return null;
}

function toReport(gateway: Gateway) {
  const { url, dataDir, models, restored } = gateway;
  return { url, data_dir: dataDir, models, ...(restored === null ? {} : { restored }) };
}

function report(
  deps: Pick<CliDeps, 'version' | 'env' | 'stdout'>,
  gateway: Gateway,
  shownKey: string | null,
): string {
  const width = Math.max(...gateway.models.map(({ model }) => model.length));
  const models = gateway.models.map(
    ({ model, provider }) => `    ${model.padEnd(width)}  ${describeProvider(provider)}`,
  );
  return [
    `RunAPI Gateway ${deps.version}`,
    `  URL     ${gateway.url}`,
    ...dataLines(gateway),
    ...restoredLines(gateway),
    `  Docs    ${gateway.url}/reference`,
    '  Models',
    ...models,
    ...keyLines(gateway, shownKey),
    '',
    '  Make a picture:',
    `    curl -s ${gateway.url}/v1/text_to_image \\`,
    '      -H "Authorization: Bearer $RUNAPI_API_KEY" -H "Content-Type: application/json" \\',
    `      -d '{"model":"gpt-image-2-text-to-image","prompt":"a red apple on a wooden table"}'`,
    '',
    '',
  ].join('\n');
}

function dataLines({ database, dataDir, isNewDataDir }: Gateway): string[] {
  if (database === null) return [`  Data    ${dataDir} (${isNewDataDir ? 'new' : 'existing'})`];
  return [`  Data    ${database}`, `  Images  ${dataDir}: all nodes must share this folder`];
}

function restoredLines({ restored }: Gateway): string[] {
  if (restored === null) return [];
  const { failed, completed } = restored;
  return [
    `  Restore unfinished tasks: ${failed} failed (interrupted_by_restore), ${completed} completed with what they had`,
  ];
}

function describeProvider(provider: string | null): string {
  if (provider === null) return 'nothing (503 no_provider)';
  if (provider !== 'illustrator') return provider;
  return 'illustrator (built-in procedural renderer, not GPT Image)';
}

function keyLines(gateway: Gateway, shownKey: string | null): string[] {
  if (shownKey !== null) {
    return ['  Key (shown once):', `    export RUNAPI_API_KEY=${shownKey}`];
  }
  if (gateway.newKey === null) return [];
  const file = join(gateway.dataDir, 'first-key');
  return ['  Key', `    export RUNAPI_API_KEY=$(cat ${file})`];
}
