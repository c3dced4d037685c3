import { resolve } from 'node:path';
import type { CliDeps, CommandConfig } from './gateway.ts';
import { createProgressBar } from './progress-bar.ts';

/**
 * Copies what lies in the data folder into a new folder. It reads the files itself, so a gateway that serves them need
 * not take part. Exit code 2: the database is PostgreSQL, or the new folder exists.
 */
export async function runBackup<Config extends CommandConfig>(
  deps: CliDeps<Config>,
  to: string,
  options: { config?: string; json?: boolean },
): Promise<number> {
  const config = deps.readConfig(
    options.config === undefined ? {} : { configFile: options.config },
  );
  if (config.database !== null) {
    deps.stderr.write(explainDatabase(deps, config, 'backed up'));
    return 2;
  }
  const folder = resolve(to);
  const bar = createProgressBar(deps.stderr);
  const onProgress = options.json ? () => {} : bar.update;
  const facts = await deps
    .backUp(config, { to: folder, version: deps.version, onProgress })
    .finally(() => bar.end());
  if (options.json) {
    deps.stdout.write(`${JSON.stringify({ backup: folder, ...facts })}\n`);
    return 0;
  }
  const lines = [
    `${folder}: ${facts.tasks} tasks (${facts.unfinished} unfinished), ${facts.files} files`,
  ];
  if (facts.missing.length > 0) {
    lines.push(
      `  ${facts.missing.length} images were gone when their turn came (deleted by retention, or lost): see manifest.json`,
    );
  }
  if (facts.blobs !== 'included') lines.push(`  Images are not in it: back up ${facts.blobs}`);
  if (facts.secret !== 'included') lines.push(`  The secret is not in it: keep ${facts.secret}`);
  lines.push('  Check it with: sha256sum -c SHA256SUMS; put it back with: runapi-gateway restore');
  deps.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

/** What to do instead where the database has tools of its own. */
export function explainDatabase<Config extends CommandConfig>(
  deps: Pick<CliDeps<Config>, 'describeStorage'>,
  config: Config,
  done: 'backed up' | 'restored',
): string {
  const { database, blobs } = deps.describeStorage(config);
  const tool = done === 'backed up' ? 'pg_dump' : 'pg_restore';
  return [
    `DATABASE_URL is set: ${database} is ${done} with the tools of PostgreSQL (${tool}, or point-in-time recovery).`,
    'What belongs together, the database first:',
    '  1. the whole database; the secret is in it, unless RUNAPI_GATEWAY_SECRET is set: then keep that too',
    `  2. the images: ${blobs}`,
    'After a restore, start the first node with: runapi-gateway serve --after-restore',
    '',
  ].join('\n');
}
