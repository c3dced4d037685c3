import type { CliDeps, CommandConfig } from '../gateway.ts';
import type { Check, Finding, Verdict } from './check.ts';
import { checkDataFolder } from './data-folder.ts';
import { checkRuntime } from './runtime.ts';
import { checkStorage } from './storage.ts';

const CHECKS: readonly Check[] = [checkRuntime, checkDataFolder, checkStorage];
const EXIT_CODES: Readonly<Record<Verdict, number>> = { ok: 0, warn: 1, fail: 2 };

/** Looks at everything a gateway needs, changes nothing. Exit code: 0 all well, 1 warnings, 2 something fails. */
export async function runDoctor<Config extends CommandConfig>(
  deps: CliDeps<Config>,
  options: { config?: string; json?: boolean },
): Promise<number> {
  const config = deps.readConfig(
    options.config === undefined ? {} : { configFile: options.config },
  );
  const patient = {
    dataDir: config.data_dir,
    nodeVersion: process.version,
    isOnPostgres: config.database !== null,
    probeStorage: () => deps.probeStorage(config, deps.version),
  };
  const findings: Finding[] = [];
  for (const check of CHECKS) findings.push(...(await check(patient)));
  const lines = findings.map(
    ({ check, verdict, text }) => `${verdict.padEnd(4)}  ${check.padEnd(11)}  ${text}`,
  );
  deps.stdout.write(options.json ? `${JSON.stringify({ findings })}\n` : `${lines.join('\n')}\n`);
  return Math.max(...findings.map(({ verdict }) => EXIT_CODES[verdict]));
}
