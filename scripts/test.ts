// `npm test`: types, lint and the whole suite. `npm test -- FILE…` or `-- --project NAME`: only that.
// The last line is always `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Counts, countResults } from './test-results.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const WHOLE_SUITE = ['unit', 'part', 'tidy', 'journeys', 'offline'];
const VITEST_NODE_MODULE = 'node_modules/vitest/vitest.mjs';

const args = process.argv.slice(2);
const isSelection = args.length > 0;
const total: Counts = { passed: 0, failed: 0, skipped: 0 };

if (!isSelection) {
  check('types', 'node_modules/typescript/bin/tsc', ['--noEmit']);
  check('lint and format', 'node_modules/@biomejs/biome/bin/biome', ['check', '.']);
}
runVitest(isSelection ? args : WHOLE_SUITE.flatMap((name) => ['--project', name]));
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`);
process.exitCode = total.failed > 0 ? 1 : 0;

/** One tool that passes or fails as a whole. */
function check(name: string, tool: string, toolArgs: readonly string[]): void {
  const startedAt = performance.now();
  const isPassed = runNode(tool, toolArgs);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${isPassed ? 'ok' : 'FAILED'}  ${name} (${seconds} s)`);
  if (isPassed) total.passed += 1;
  else total.failed += 1;
}

function runVitest(selection: readonly string[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-test-'));
  const resultFile = join(folder, 'results.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${resultFile}`];
  const isPassed = runNode(VITEST_NODE_MODULE, ['run', ...reporters, ...selection]);
  const counts = countResults(resultFile);
  rmSync(folder, { recursive: true, force: true });
  total.passed += counts.passed;
  total.skipped += counts.skipped;
  // An unhandled error or a file that does not load fails the run without failing a test.
  total.failed += isPassed ? counts.failed : Math.max(1, counts.failed);
}

function runNode(script: string, scriptArgs: readonly string[]): boolean {
  const options = { cwd: root, stdio: 'inherit' } as const;
  return spawnSync(process.execPath, [join(root, script), ...scriptArgs], options).status === 0;
}
