// Loads every HTML page of a gateway in a real browser, following the links from `/`, and writes down
// everything that a page without foreign parts would not do.
import { type BrowserContext, chromium } from 'playwright-core';

export const CHROMIUM = '/usr/bin/chromium';

export interface Visit {
  pages: string[];
  foreignRequests: string[];
  failedRequests: string[];
  consoleErrors: string[];
  policyViolations: string[];
}

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

export async function visitPages(origin: string): Promise<Visit> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS });
  const visit: Visit = {
    pages: [],
    foreignRequests: [],
    failedRequests: [],
    consoleErrors: [],
    policyViolations: [],
  };
  try {
    const context = await browser.newContext();
    await watch(context, origin, visit);
    const waiting = ['/', '/reference'];
    const seen = new Set<string>();
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
      if (seen.has(path)) continue;
      seen.add(path);
      waiting.push(...(await load(context, origin, path, visit)));
    }
  } finally {
    await browser.close();
  }
  return visit;
}

async function watch(context: BrowserContext, origin: string, visit: Visit): Promise<void> {
  context.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol !== 'data:' && url.origin !== origin) visit.foreignRequests.push(url.href);
  });
  context.on('requestfailed', (request) => visit.failedRequests.push(request.url()));
  context.on('response', (answer) => {
    if (answer.status() >= 400) visit.failedRequests.push(`${answer.status()} ${answer.url()}`);
  });
  context.on('console', (message) => {
    if (message.type() === 'error')
      visit.consoleErrors.push(`${message.text()} ${message.location().url}`);
  });
  context.on('weberror', (fault) => visit.consoleErrors.push(String(fault.error())));
  await context.exposeFunction('reportViolation', (text: string) => {
    visit.policyViolations.push(text);
  });
  await context.addInitScript(
    `addEventListener('securitypolicyviolation', (event) => reportViolation(event.violatedDirective + ' ' + event.blockedURI));`,
  );
}

/** Returns the paths it links to; only HTML counts as a page. */
async function load(
  context: BrowserContext,
  origin: string,
  path: string,
  visit: Visit,
): Promise<string[]> {
  const page = await context.newPage();
  try {
    const answer = await page.goto(`${origin}${path}`, { waitUntil: 'networkidle' });
    if (!answer?.headers()['content-type']?.includes('text/html')) return [];
    visit.pages.push(path);
    const links = await page
      .locator('a[href]')
      .evaluateAll((anchors) =>
        anchors.map((anchor) => String((anchor as unknown as { href: string }).href)),
      );
    return links
      .map((link) => new URL(link))
      .filter((link) => link.origin === origin)
      .map((link) => link.pathname);
  } finally {
    await page.close();
  }
}
