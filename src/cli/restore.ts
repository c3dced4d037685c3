import { resolve } from 'node:path';
import { explainDatabase } from './backup.ts';
import type { CliDeps, CommandConfig } from './gateway.ts';
import { createProgressBar } from './progress-bar.ts';

/**
 * Puts a backup into an empty data folder. Exit code 2: the database is PostgreSQL, the folder is not empty, or the
 * backup is not whole; nothing is left behind then.
 */
export async function runRestore<Config extends CommandConfig>(
  deps: CliDeps<Config>,
  from: string,
  options: { config?: string; json?: boolean; dataDir?: string },
): Promise<number> {
  const config = deps.readConfig(
    options.config === undefined ? {} : { configFile: options.config },
  );
  if (config.database !== null) {
    deps.stderr.write(explainDatabase(deps, config, 'restored'));
    return 2;
  }
  const dataDir = resolve(options.dataDir ?? config.data_dir);
  const bar = createProgressBar(deps.stderr);
  const onProgress = options.json ? () => {} : bar.update;
  const facts = await deps
    .restoreBackup({ from: resolve(from), dataDir, onProgress })
    .finally(() => bar.end());
  const next = `RUNAPI_GATEWAY_DATA_DIR=${dataDir} runapi-gateway serve --after-restore`;
  if (options.json) {
    deps.stdout.write(`${JSON.stringify({ data_dir: dataDir, next, ...facts })}\n`);
    return 0;
  }
  const lines = [
    `${dataDir}: ${facts.tasks} tasks as of ${facts.started_at}, ${facts.unfinished} of them unfinished`,
  ];
  if (facts.blobs !== 'included') lines.push(`  Images are not in it: they are in ${facts.blobs}`);
  if (facts.secret !== 'included') lines.push(`  The secret is not in it: set ${facts.secret}`);
  lines.push(
    '  Next, once; it fails the unfinished tasks, so that no upstream is paid twice:',
    `    ${next}`,
  );
  deps.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}
