import type { NodeRecord } from '../domain/tasks/operations.ts';
import { sleep } from '../kernel/clock.ts';
import { askGateway, bodyOf } from './ask.ts';
import type { CliDeps, CommandConfig } from './gateway.ts';

const LOOK_MS = 1_000;

interface DrainOptions {
  config?: string;
  json?: boolean;
}

/**
 * Asks a node to take no more work and waits until it has none. Without a name: the only node, or the list to choose
 * from. Exit code 1: there is no such node, or none was named among several.
 */
export async function runDrain<Config extends CommandConfig>(
  deps: CliDeps<Config>,
  name: string | undefined,
  options: DrainOptions,
): Promise<number> {
  const config = deps.readConfig(
    options.config === undefined ? {} : { configFile: options.config },
  );
  const look = async () =>
    bodyOf<NodeRecord[]>(await askGateway(deps, config, 'GET', '/nodes'), deps.stderr);
  const nodes = await look();
  if (nodes === null) return 1;
  const fitting = nodes.filter(
    (node) => name === undefined || node.id === name || node.name === name,
  );
  const [node] = fitting;
  if (!node || fitting.length > 1) {
    deps.stderr.write(`${describeChoice(nodes, name)}\n`);
    return 1;
  }
  const asked = await askGateway(deps, config, 'POST', `/nodes/${node.id}/drain`);
  if (bodyOf(asked, deps.stderr) === null) return 1;
  for (;;) {
    const now = (await look())?.find(({ id }) => id === node.id);
    if (!now || (now.isDraining && now.running === 0)) break;
    if (!options.json) deps.stdout.write(`${node.name}: ${now.running} tasks are still running\n`);
    await sleep(LOOK_MS);
  }
  deps.stdout.write(
    options.json
      ? `${JSON.stringify({ node: node.id, name: node.name, drained: true })}\n`
      : `${node.name} is drained. Stop it with SIGTERM; a restart takes work again.\n`,
  );
  return 0;
}

function describeChoice(nodes: readonly NodeRecord[], name: string | undefined): string {
  const list = nodes.map(({ name: known, running }) => `  ${known}  ${running} running`);
  if (nodes.length === 0) return 'No node is running.';
  const first =
    name === undefined ? 'Name the node to drain:' : `No node is called ${name}. Running:`;
  return [first, ...list].join('\n');
}
