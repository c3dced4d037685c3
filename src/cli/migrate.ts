import type { CliDeps, CommandConfig } from './gateway.ts';

interface MigrateOptions {
  config?: string;
  dryRun?: boolean;
  json?: boolean;
}

/** Brings the store to this version, or says what that would take. `serve` does the same by itself. */
export async function runMigrate<Config extends CommandConfig>(
  deps: CliDeps<Config>,
  options: MigrateOptions,
): Promise<number> {
  const config = deps.readConfig(
    options.config === undefined ? {} : { configFile: options.config },
  );
  const isDryRun = options.dryRun === true;
  const { store, missing } = await deps.migrate(config, { version: deps.version, isDryRun });
  if (options.json) {
    deps.stdout.write(`${JSON.stringify({ store, dry_run: isDryRun, migrations: missing })}\n`);
    return 0;
  }
  const verb = isDryRun ? 'To apply' : 'Applied';
  const lines =
    missing.length === 0
      ? ['Nothing to do: it is up to date.']
      : missing.map((name) => `  ${verb}: ${name}`);
  deps.stdout.write([store, ...lines, ''].join('\n'));
  return 0;
}
