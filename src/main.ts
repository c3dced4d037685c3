// The process entry: wires the command line to a real gateway. Everything else is passed in.
import { readFileSync } from 'node:fs';
import { buildCli } from './cli/cli.ts';
import {
  backUp,
  describeStorage,
  migrateStore,
  openOffline,
  probeStorage,
  restoreBackup,
  startGateway,
} from './compose.ts';
import { isolatedConfig, readConfig } from './config.ts';

const packageFile = new URL('../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };

const cli = buildCli({
  version,
  env: process.env,
  readConfig: (options) => readConfig(process.env, options),
  isolatedConfig,
  startGateway,
  openOffline,
  migrate: migrateStore,
  probeStorage,
  backUp,
  restoreBackup,
  describeStorage,
  stdout: process.stdout,
  stderr: process.stderr,
  onSignal: (listener) => {
    process.on('SIGTERM', listener);
    process.on('SIGINT', listener);
  },
});

process.exitCode = await cli.run(process.argv.slice(2));
