// The gateway sends nothing anywhere: proven in a network namespace without routes, where the kernel counts
// every connection and every look-up that tried to leave.
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findWay, runInside } from './namespace.ts';
import { CHROMIUM, type Visit } from './visit-pages.ts';

const way = findWay();
const hasBrowser = existsSync(CHROMIUM);
const isCi = process.env['CI'] === 'true';

if (way === null)
  console.log('offline tests need Linux, unshare and ip (iproute2), and the right to use them');
if (!hasBrowser) console.log(`the pages are not loaded: there is no ${CHROMIUM}`);

it.runIf(isCi)('everything this test needs is here', () => {
  expect({ namespace: way !== null, browser: hasBrowser }).toEqual({
    namespace: true,
    browser: true,
  });
});

describe.skipIf(way === null).concurrent('without any route', () => {
  const inside = <Result>(scenario: string, timeoutMs: number) =>
    runInside<Result>(way ?? [], scenario, timeoutMs);

  it('look-ups and connections are counted', async () => {
    const control = await inside<Record<string, number>>('control', 30_000);
    expect(control['tries']).toBeGreaterThan(0);
    expect(control).toMatchObject({ connections: 1, connections6: 1 });
  });

  it('the demo draws its picture and tries to reach nobody', async () => {
    const demo = await inside('demo', 120_000);
    expect(demo).toEqual({ tries: 0, exitCode: 0, size: [1728, 2304] });
  });

  it('an idle server tries to reach nobody for a minute', async () => {
    expect(await inside('idle', 120_000)).toEqual({ tries: 0 });
  });

  it.skipIf(!hasBrowser)('every page loads from the gateway alone', async () => {
    const { pages, ...problems } = await inside<Visit>('pages', 120_000);
    expect(pages).toEqual(expect.arrayContaining(['/', '/reference']));
    expect(problems).toEqual({
      foreignRequests: [],
      failedRequests: [],
      consoleErrors: [],
      policyViolations: [],
    });
  });
});
