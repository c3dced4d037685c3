import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { silentLogger } from '../kernel/logger.ts';
import type { CliDeps, CommandConfig, Gateway } from './gateway.ts';
import { createProgressBar } from './progress-bar.ts';
import { createTaskClient, type TaskAnswer } from './task-client.ts';

/** The request of the README. */
export const DEMO_REQUEST = {
  model: 'gpt-image-2-text-to-image',
  prompt:
    'A product photo of a glass perfume bottle on a marble surface, transparent background, studio lighting, the label reads AURORA in gold serif font',
  output_resolution: '2k',
  aspect_ratio: '3:4',
};

interface DemoOptions {
  prompt?: string;
  out: string;
  json?: boolean;
}

/** Starts a gateway that knows nothing of the environment, makes one picture through its HTTP API, stops. */
export async function runDemo<Config extends CommandConfig>(
  deps: CliDeps<Config>,
  options: DemoOptions,
): Promise<number> {
  const dataDir = await mkdtemp(join(tmpdir(), 'runapi-demo-'));
  const now = new AbortController();
  try {
    const config = deps.isolatedConfig(dataDir);
    const gateway = await deps.startGateway(config, { log: silentLogger, version: deps.version });
    deps.onSignal(() => now.abort());
    try {
      return await makePicture(deps, gateway, options, now.signal);
    } finally {
      now.abort();
      await gateway.stop(now.signal);
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function makePicture(
  deps: Pick<CliDeps, 'stdout' | 'stderr'>,
  gateway: Gateway,
  options: DemoOptions,
  stopped: AbortSignal,
): Promise<number> {
  const say = (text: string) => {
    if (!options.json) deps.stdout.write(`${text}\n`);
  };
  const request = { ...DEMO_REQUEST, ...(options.prompt ? { prompt: options.prompt } : {}) };
  const client = createTaskClient(gateway.url, gateway.newKey ?? '');
  say(`RunAPI Gateway runs at ${gateway.url} with a throw-away data folder.`);
  say(`POST /v1/text_to_image  ${request.output_resolution} ${request.aspect_ratio}`);
  say(`  "${request.prompt}"`);
  const startedAt = performance.now();
  const created = await client.create(request);
  say(`  ${created.task_id} is accepted; drawing it here takes some seconds.`);
  const bar = createProgressBar(options.json ? deps.stderr : deps.stdout);
  const ended = client.follow(created, (fraction) => bar.update(fraction, 'drawing'));
  const interrupted = new Promise<null>((done) => {
    stopped.addEventListener('abort', () => done(null), { once: true });
  });
  const task = await Promise.race([ended.finally(() => bar.end()), interrupted]);
  if (task === null) return 1;
  const seconds = (performance.now() - startedAt) / 1000;
  return finish(deps, client.download, task, options, seconds, say);
}

async function finish(
  deps: Pick<CliDeps, 'stdout' | 'stderr'>,
  download: (url: string) => Promise<Uint8Array>,
  task: TaskAnswer,
  options: DemoOptions,
  seconds: number,
  say: (text: string) => void,
): Promise<number> {
  const [image] = task.images ?? [];
  if (!image) {
    deps.stderr.write(`The task failed: ${task.error ?? 'no image'}\n`);
    return 1;
  }
  const path = resolve(options.out);
  await writeFile(path, await download(image.url));
  const { width, height } = image;
  const cost = task.usage?.cost ?? 0;
  if (options.json) {
    const { provider } = task;
    deps.stdout.write(`${JSON.stringify({ path, width, height, cost, provider, seconds })}\n`);
    return 0;
  }
  say(`Saved ${path}`);
  say(
    `  ${width}x${height} pixels, ${image.size_bytes} bytes, ${seconds.toFixed(1)} s, price $${cost.toFixed(2)}`,
  );
  for (const warning of task.warnings) say(`  Note: ${warning.message}`);
  say('');
  say('Next:');
  say('  npm run demo -- "a poster that reads \\"HELLO\\""    your own words');
  say(
    '  npm start                                          a gateway that stays, with a key of its own',
  );
  return 0;
}
