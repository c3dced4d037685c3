// The command line: parses, calls one command, turns its outcome into an exit code.
// 0 done · 1 failed · 2 wrong usage or configuration.
import { Command, CommanderError } from 'commander';
import { isAppError, toError } from '../kernel/app-error.ts';
import { addAccounting } from './accounting.ts';
import { runBackup } from './backup.ts';
import { runDemo } from './demo.ts';
import { runDoctor } from './doctor/run-doctor.ts';
import { runDrain } from './drain.ts';
import type { CliDeps, CommandConfig } from './gateway.ts';
import { runMigrate } from './migrate.ts';
import { runRestore } from './restore.ts';
import { runServe } from './serve.ts';
import { runTasksShow } from './tasks-show.ts';

export interface Cli {
  run(args: readonly string[]): Promise<number>;
}

export function buildCli<Config extends CommandConfig>(deps: CliDeps<Config>): Cli {
  return {
    async run(args) {
      let exitCode = 0;
      const program = buildProgram(deps, (code) => {
        exitCode = code;
      });
      try {
        await program.parseAsync([...args], { from: 'user' });
        return exitCode;
      } catch (error) {
        if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
        deps.stderr.write(`${toError(error).message}\n`);
        const isConfig = isAppError(error) && error.code === 'config_invalid';
        return isConfig ? 2 : 1;
      }
    },
  };
}

type Exit = (code: number) => void;

interface CommonOptions {
  config?: string;
  json?: boolean;
}

function buildProgram<Config extends CommandConfig>(deps: CliDeps<Config>, exit: Exit): Command {
  const program = new Command('runapi-gateway');
  program
    .description('A self-hosted AI media gateway: text_to_image and edit_image as durable tasks.')
    .version(deps.version, '-V, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => deps.stdout.write(text),
      writeErr: (text) => deps.stderr.write(text),
    })
    .addHelpText('after', '\nExample:\n  runapi-gateway demo "a red cube on a wooden table"\n');
  addServing(program, deps, exit);
  addOperating(program, deps, exit);
  addAccounting(program, deps, exit, add);
  addBackup(program, deps, exit);
  return program;
}

/** What every command has but the demo: the configuration, JSON, and an example. */
function add(parent: Command, name: string, description: string, example: string): Command {
  return parent
    .command(name)
    .description(description)
    .option('-c, --config <file>', 'configuration file (or RUNAPI_GATEWAY_CONFIG)')
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExample:\n  ${example}\n`);
}

function addServing<Config extends CommandConfig>(
  program: Command,
  deps: CliDeps<Config>,
  exit: Exit,
): void {
  add(
    program,
    'serve',
    'start the gateway and serve until it is told to stop',
    'RUNAPI_GATEWAY_PORT=8787 runapi-gateway serve',
  )
    .option('--after-restore', 'first fail the tasks that a restored backup holds unfinished; once')
    .action(async (options: CommonOptions & { afterRestore?: boolean }) => {
      exit(await runServe(deps, options));
    });
  program
    .command('demo')
    .description('start a throw-away gateway, make one picture, save it, stop')
    .argument('[prompt]', 'what to draw instead of the perfume bottle')
    .option('-o, --out <file>', 'where to save the picture', 'runapi-demo.png')
    .option('--json', 'print one JSON line at the end instead of words')
    .addHelpText('after', '\nExample:\n  runapi-gateway demo "a poster that reads \\"HELLO\\""\n')
    .action(async (prompt: string | undefined, options: { out: string; json?: boolean }) => {
      exit(await runDemo(deps, { ...options, ...(prompt === undefined ? {} : { prompt }) }));
    });
}

function addOperating<Config extends CommandConfig>(
  program: Command,
  deps: CliDeps<Config>,
  exit: Exit,
): void {
  add(
    program.command('tasks').description('look into tasks'),
    'show',
    'one task with its attempts and events, as the operator sees it',
    'runapi-gateway tasks show tsk_01m5sdzz8hf0tbq2c1z7yq3x9k',
  )
    .argument('<id>', 'either spelling of a task id')
    .action(async (id: string, options: CommonOptions) => {
      exit(await runTasksShow(deps, id, options));
    });
  add(
    program,
    'doctor',
    'look at runtime, data folder, database and image store; exit code 0, 1 or 2',
    'runapi-gateway doctor',
  ).action(async (options: CommonOptions) => {
    exit(await runDoctor(deps, options));
  });
  add(
    program,
    'migrate',
    'bring the database to this version; serve does so too',
    'runapi-gateway migrate --dry-run',
  )
    .option('--dry-run', 'only say what would be applied')
    .action(async (options: CommonOptions & { dryRun?: boolean }) => {
      exit(await runMigrate(deps, options));
    });
  add(
    program,
    'drain',
    'let a node finish its tasks and take no more',
    'runapi-gateway drain web-1:4711',
  )
    .argument('[node]', 'name or id of the node; needed where several run')
    .action(async (node: string | undefined, options: CommonOptions) => {
      exit(await runDrain(deps, node, options));
    });
}

function addBackup<Config extends CommandConfig>(
  program: Command,
  deps: CliDeps<Config>,
  exit: Exit,
): void {
  add(
    program,
    'backup',
    'copy database, images and secret into a new folder, while the gateway runs',
    'runapi-gateway backup ../backups/2026-01-31',
  )
    .argument('<file>', 'the folder to make')
    .action(async (to: string, options: CommonOptions) => {
      exit(await runBackup(deps, to, options));
    });
  add(
    program,
    'restore',
    'put a backup into an empty data folder, every checksum verified',
    'runapi-gateway restore ../backups/2026-01-31 --data-dir /var/lib/runapi-gateway',
  )
    .argument('<file>', 'the folder that backup made')
    .option('--data-dir <dir>', 'where to; default: RUNAPI_GATEWAY_DATA_DIR')
    .action(async (from: string, options: CommonOptions & { dataDir?: string }) => {
      exit(await runRestore(deps, from, options));
    });
}
