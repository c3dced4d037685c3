// Fetching URLs that a caller named. Every one is distrusted: addresses are checked when connecting, so a
// name cannot be re-bound after a check, and each redirect is checked again. Bytes and time are capped.
import { lookup as dnsLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Agent, buildConnector, request } from 'undici';

const REDIRECTS_MAX = 3;
const CONNECT_TIMEOUT_MS = 10_000;

export interface Outbound {
  /** Whether the form of an http(s) URL is acceptable: a host, no user info, no private address literal. */
  isPublicUrl(url: string): boolean;
  /** Never throws for what the remote side does; a refusal says why in operator's words. */
  fetchBytes(
    url: string,
    limits: { bytesMax: number; timeoutMs: number; signal: AbortSignal },
  ): Promise<{ ok: true; bytes: Uint8Array } | { ok: false; reason: string }>;
  stop(): Promise<void>;
}

/** `allowPrivate`: CIDRs (`10.0.0.0/8`) or `host:port` that may be reached although private. */
export function createOutbound(allowPrivate: readonly string[]): Outbound {
  const isAllowed = makeAllowList(allowPrivate);
  const agent = new Agent({
    connect: guardedConnector(isAllowed),
    connections: 64,
  });
  const isPublicUrl = (text: string) => refusal(text, isAllowed) === null;
  return {
    isPublicUrl,
    async fetchBytes(url, { bytesMax, timeoutMs, signal }) {
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      let current = url;
      try {
        for (let hop = 0; hop <= REDIRECTS_MAX; hop += 1) {
          const refused = refusal(current, isAllowed);
          if (refused !== null) return { ok: false, reason: refused };
          const answer = await request(current, {
            dispatcher: agent,
            signal: deadline,
            headers: { accept: 'image/png, image/jpeg, image/webp' },
          });
          // Discarding a body makes it emit an error, which must find a listener.
          answer.body.on('error', () => {});
          const location = answer.headers['location'];
          if (answer.statusCode >= 300 && answer.statusCode < 400 && typeof location === 'string') {
            answer.body.destroy();
            current = new URL(location, current).href;
            continue;
          }
          if (answer.statusCode !== 200) {
            answer.body.destroy();
            return { ok: false, reason: `answered with status ${answer.statusCode}` };
          }
          return await readCapped(answer.body, bytesMax);
        }
        return { ok: false, reason: `redirected more than ${REDIRECTS_MAX} times` };
      } catch (thrown) {
        if (deadline.aborted && !signal.aborted) return { ok: false, reason: 'timed out' };
        return { ok: false, reason: thrown instanceof Error ? thrown.message : String(thrown) };
      }
    },
    stop: () => agent.destroy(),
  };
}

async function readCapped(
  body: AsyncIterable<Uint8Array> & { destroy(): unknown },
  bytesMax: number,
): Promise<{ ok: true; bytes: Uint8Array } | { ok: false; reason: string }> {
  const chunks: Uint8Array[] = [];
  let total = 0;
  for await (const chunk of body) {
    total += chunk.byteLength;
    if (total > bytesMax) {
      body.destroy();
      return { ok: false, reason: `is larger than ${bytesMax} bytes` };
    }
    chunks.push(chunk);
  }
  return { ok: true, bytes: Buffer.concat(chunks, total) };
}

type Allow = (host: string, port: number) => boolean;

function makeAllowList(entries: readonly string[]): Allow {
  const hosts = new Set(entries.filter((entry) => !entry.includes('/')));
  const ranges = entries
    .filter((entry) => entry.includes('/'))
    .map((entry) => ipaddr.parseCIDR(entry));
  return (host, port) => {
    if (hosts.has(`${host}:${port}`)) return true;
    if (!ipaddr.isValid(host)) return false;
    const address = ipaddr.process(host);
    return ranges.some(
      ([range, bits]) => address.kind() === range.kind() && address.match(range, bits),
    );
  };
}

/** Why a URL is refused by its form alone; null when names still have to be checked at connect time. */
function refusal(text: string, isAllowed: Allow): string | null {
  if (!URL.canParse(text)) return 'is not a URL';
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'is not an http or https URL';
  if (url.username !== '' || url.password !== '') return 'holds user info';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === '') return 'has no host';
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  if (isAllowed(host, port)) return null;
  if (ipaddr.isValid(host)) return isPublicAddress(host) ? null : 'is a private address';
  const isLocalName = host === 'localhost' || host.endsWith('.localhost');
  return isLocalName ? 'is a private address' : null;
}

function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast';
}

/** Connects only where every answer of the resolver is public or allowed for this port. */
function guardedConnector(isAllowed: Allow): buildConnector.connector {
  const byTarget = new Map<string, buildConnector.connector>();
  return (options, callback) => {
    const port = Number(options.port || (options.protocol === 'https:' ? 443 : 80));
    const isNameAllowed = isAllowed(options.hostname, port);
    const target = `${port} ${isNameAllowed}`;
    let connect = byTarget.get(target);
    if (!connect) {
      const isReachable = (address: string) =>
        isNameAllowed || isPublicAddress(address) || isAllowed(address, port);
      connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, lookup: guardedLookup(isReachable) });
      byTarget.set(target, connect);
    }
    connect(options, callback);
  };
}

function guardedLookup(isReachable: (address: string) => boolean): LookupFunction {
  return (hostname, options, done) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, []);
      const [first] = addresses;
      if (!first) return done(new Error('does not resolve'), []);
      if (!addresses.every(({ address }) => isReachable(address))) {
        return done(new Error('resolves to a private address'), []);
      }
      if (options.all) return done(null, addresses);
      return done(null, first.address, first.family);
    });
  };
}
