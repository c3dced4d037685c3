// The command line: parses, calls one command, turns its outcome into an exit code.
// 0 done · 1 failed · 2 wrong usage or configuration.
import { Command, CommanderError } from 'commander';
import { isAppError, toError } from '../kernel/app-error.ts';
import { runDemo } from './demo.ts';
import type { CliDeps, CommandConfig } from './gateway.ts';
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

function buildProgram<Config extends CommandConfig>(
  deps: CliDeps<Config>,
  exit: (code: number) => void,
): Command {
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
  program
    .command('serve')
    .description('start the gateway and serve until it is told to stop')
    .option('-c, --config <file>', 'configuration file (or RUNAPI_GATEWAY_CONFIG)')
    .option('--json', 'print the start report as one JSON line')
    .addHelpText('after', '\nExample:\n  RUNAPI_GATEWAY_PORT=8787 runapi-gateway serve\n')
    .action(async (options: { config?: string; json?: boolean }) => {
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
  const tasks = program.command('tasks').description('look into tasks');
  tasks
    .command('show')
    .description('one task with its attempts and events, as the operator sees it')
    .argument('<id>', 'either spelling of a task id')
    .option('-c, --config <file>', 'configuration file (or RUNAPI_GATEWAY_CONFIG)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  runapi-gateway tasks show tsk_01m5sdzz8hf0tbq2c1z7yq3x9k\n',
    )
    .action(async (id: string, options: { config?: string; json?: boolean }) => {
      exit(await runTasksShow(deps, id, options));
    });
  return program;
}
