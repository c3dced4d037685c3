// `npm run bench`: one table on the terminal and in bench/RESULTS.md. `-- --quick` measures once and writes nothing.
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { startGateway } from '../test/support/gateway.ts';
import { startScripted } from '../test/support/scripted.ts';
import { measureCreateAndPoll } from './create-and-poll.ts';
import { measureEngine } from './engine.ts';
import { measureInFlight } from './in-flight.ts';
import { measureNotice } from './notice.ts';
import { measureStart, rssMb } from './start.ts';
import { measureStorage } from './storage.ts';

const isQuick = process.argv.includes('--quick');
const rounds = isQuick ? 1 : 5;

const lines: string[] = [];
const say = (line: string) => {
  lines.push(line);
  console.log(line);
};
const number = (value: number, digits = 0) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

say('# Benchmark results');
say('');
say(
  `\`npm run bench\`${isQuick ? ' -- --quick' : ''} on ${new Date().toISOString().slice(0, 10)}, after commit ${commit()}.`,
);
say(
  `Node ${process.version}, ${process.platform}, ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), ${number(totalmem() / 2 ** 30)} GiB. SQLite with synchronous=FULL on a local disk; the load generator shares the cores. Medians of ${rounds} interleaved runs; below 1.25× is noise.`,
);

const scripted = await startScripted('immediate', { tasks: { upstream_slots: 8 } });
const gateway = await startGateway({ config: scripted.config });
say('');
say('| durable creates and status reads | per second | p50 ms | p99 ms |');
say('|---|---|---|---|');
for (const row of await measureCreateAndPoll(gateway, rounds, isQuick ? 1_000 : 4_000)) {
  say(
    `| ${row.name} | ${number(row.perSecond)} | ${number(row.p50Ms, 2)} | ${number(row.p99Ms, 2)} |`,
  );
}
const loadedRss = await rssMb(gateway.pid);
await gateway.stop();
await scripted.server.stop();

const noticed = await startScripted('immediate');
const noticeGateway = await startGateway({ config: noticed.config });
say('');
say('| known after completion by | median ms | p99 ms |');
say('|---|---|---|');
for (const row of await measureNotice(noticeGateway, isQuick ? 20 : 100)) {
  say(`| ${row.name} | ${number(row.medianMs)} | ${number(row.p99Ms)} |`);
}
await noticeGateway.stop();
await noticed.server.stop();

say('');
say('| built-in engine, the demo picture | seconds | process RSS, MiB |');
say('|---|---|---|');
for (const row of await measureEngine(isQuick ? 1 : 5)) {
  say(`| ${row.name} | ${number(row.seconds, 1)} | ${number(row.rssMb)} |`);
}

say('');
say('| the store itself, 256 callers | accepts/s | claims/s | reads/s |');
say('|---|---|---|---|');
for (const row of await measureStorage(rounds, isQuick ? 2_000 : 8_000)) {
  const rates = [row.acceptsPerSecond, row.claimsPerSecond, row.getsPerSecond];
  const cells = rates.map((rate) => (Number.isNaN(rate) ? '' : number(rate)));
  say(`| ${row.name} | ${cells.join(' | ')} |`);
}

say('');
say(
  '| in flight at once, answered after 18–22 s | tasks | completed | seconds | loop p99 ms | RSS, MiB |',
);
say('|---|---|---|---|---|---|');
const scale = isQuick ? 10 : 1;
for (const row of [
  await measureInFlight('pictures of 64x64', 10_000 / scale, '64x64'),
  await measureInFlight('real 1k PNGs', 200 / scale, 'png:1024x1024'),
]) {
  say(
    `| ${row.name} | ${number(row.tasks)} | ${number(row.completed)} | ${number(row.seconds)} | ${number(row.loopP99Ms)} | ${number(row.rssMb)} |`,
  );
}

const start = await measureStart(rounds);
say('');
say('| process | |');
say('|---|---|');
say(`| cold start to serving, ms | ${number(start.coldStartMs)} |`);
say(`| RSS at rest, MiB | ${number(start.idleRssMb)} |`);
say(`| RSS after the create and status load, MiB | ${number(loadedRss)} |`);

if (!isQuick) {
  const file = new URL('./RESULTS.md', import.meta.url);
  await writeFile(file, `${lines.join('\n')}\n`);
}
