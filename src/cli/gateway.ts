// What the command line is given by `main.ts`, so that commands need not know how a gateway is built.
import type { DomainContext } from '../domain/context.ts';
import type { Logger } from '../kernel/logger.ts';
import type { StorageProbe } from './doctor/check.ts';

export interface GatewayModel {
  model: string;
  /** Id of the provider that answers it first; null: none. */
  provider: string | null;
}

export interface Gateway {
  url: string;
  /** Absolute. */
  dataDir: string;
  isNewDataDir: boolean;
  /** For people, without password; null: SQLite in the data folder. */
  database: string | null;
  /** Set once, on the first start without a bootstrap key. */
  newKey: string | null;
  models: readonly GatewayModel[];
  /** After a restore: how many unfinished tasks were ended, and how. Else null. */
  restored: { failed: number; completed: number } | null;
  /** Graceful; aborting `now` ends it at once. */
  stop(now: AbortSignal): Promise<void>;
}

/** The part of the configuration that commands look at; the rest passes through them unseen. */
export interface CommandConfig {
  data_dir: string;
  database: object | null;
  log_level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export type OnProgress = (fraction: number, label: string) => void;

/** The manifest of a backup, as far as commands tell it. */
export interface BackupFacts {
  version: string;
  started_at: string;
  tasks: number;
  unfinished: number;
  files: number;
  /** `included`, or what they are kept in. */
  secret: string;
  blobs: string;
  missing: readonly string[];
}

export interface CliDeps<Config extends CommandConfig = CommandConfig> {
  version: string;
  readConfig(options: { configFile?: string }): Config;
  /** The configuration of the demo: nothing from the environment, a data folder of its own, a free port. */
  isolatedConfig(dataDir: string): Config;
  startGateway(
    config: Config,
    options: { log: Logger; version: string; isAfterRestore?: boolean },
  ): Promise<Gateway>;
  /** A context on storage that no gateway serves now, or on a database that many share. */
  openOffline(
    config: Config,
    version: string,
  ): Promise<{ ctx: DomainContext; close(): Promise<void> }>;
  /** Brings the store to this version; a dry run only says by what. */
  migrate(
    config: Config,
    options: { version: string; isDryRun: boolean },
  ): Promise<{ store: string; missing: readonly string[] }>;
  /** Writes, reads and deletes a blob, and looks at the database without changing it. */
  probeStorage(config: Config, version: string): Promise<StorageProbe>;
  /** Copies the data folder, beside the gateway that may serve it. */
  backUp(
    config: Config,
    options: { to: string; version: string; onProgress: OnProgress },
  ): Promise<BackupFacts>;
  restoreBackup(options: {
    from: string;
    dataDir: string;
    onProgress: OnProgress;
  }): Promise<BackupFacts>;
  /** For people, without credentials. */
  describeStorage(config: Config): { database: string; blobs: string };
  env: Readonly<Record<string, string | undefined>>;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  onSignal(listener: () => void): void;
}
