import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOutbound } from './outbound.ts';

const never = new AbortController().signal;
const limits = { bytesMax: 1000, timeoutMs: 2000, signal: never };
let server: Server;
let port = 0;
let hits = 0;

beforeEach(async () => {
  hits = 0;
  const listener: RequestListener = (request, response) => {
    hits += 1;
    if (request.url === '/redirect') {
      response.writeHead(302, { location: 'http://10.0.0.1/x' }).end();
    } else if (request.url === '/large') {
      response.end(Buffer.alloc(2000));
    } else if (request.url === '/slow') {
      response.write('a');
    } else if (request.url === '/missing') {
      response.writeHead(404).end();
    } else {
      response.end('hello');
    }
  };
  server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  port = (server.address() as AddressInfo).port;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

describe('a URL that a caller named', () => {
  it.each([
    'http://127.0.0.1/x',
    'http://127.1/x',
    'http://2130706433/x',
    'http://0x7f000001/x',
    'http://0177.0.0.1/x',
    'http://10.1.2.3/x',
    'http://172.16.0.1/x',
    'http://192.168.0.1/x',
    'http://169.254.169.254/latest',
    'http://100.64.0.1/x',
    'http://0.0.0.0/x',
    'http://[::1]/x',
    'http://[::ffff:127.0.0.1]/x',
    'http://[64:ff9b::7f00:1]/x',
    'http://[fe80::1]/x',
    'http://[fc00::1]/x',
    'http://localhost/x',
    'http://user:secret@example.com/x',
    'ftp://example.com/x',
    'file:///etc/passwd',
  ])('%s is not public', (url) => {
    expect(createOutbound([]).isPublicUrl(url)).toBe(false);
  });

  it.each(['https://example.com/a.png', 'http://93.184.216.34/a.png'])('%s is public', (url) => {
    expect(createOutbound([]).isPublicUrl(url)).toBe(true);
  });

  it('is not connected to when it is private', async () => {
    const outbound = createOutbound([]);
    const answer = await outbound.fetchBytes(`http://127.0.0.1:${port}/`, limits);
    expect(answer).toMatchObject({ ok: false });
    expect(hits).toBe(0);
    await outbound.stop();
  });

  it('a name that resolves to a private address is refused when connecting', async () => {
    const outbound = createOutbound([]);
    const answer = await outbound.fetchBytes(`http://localhost.:${port}/`, limits);
    expect(answer).toMatchObject({ ok: false });
    expect(hits).toBe(0);
    await outbound.stop();
  });

  it('is fetched when the operator allowed the address, by CIDR or by host and port', async () => {
    for (const allowed of ['127.0.0.0/8', `127.0.0.1:${port}`]) {
      const outbound = createOutbound([allowed]);
      const answer = await outbound.fetchBytes(`http://127.0.0.1:${port}/`, limits);
      expect(answer.ok && Buffer.from(answer.bytes).toString()).toBe('hello');
      await outbound.stop();
    }
  });

  it.each(['/redirect', '/large', '/missing'])('%s is refused', async (path) => {
    const outbound = createOutbound([`127.0.0.1:${port}`]);
    expect(await outbound.fetchBytes(`http://127.0.0.1:${port}${path}`, limits)).toMatchObject({
      ok: false,
    });
    await outbound.stop();
  });

  it('ends at its deadline even when bytes trickle', async () => {
    const outbound = createOutbound([`127.0.0.1:${port}`]);
    const slow = { ...limits, timeoutMs: 200 };
    const answer = await outbound.fetchBytes(`http://127.0.0.1:${port}/slow`, slow);
    expect(answer).toEqual({ ok: false, reason: 'timed out' });
    await outbound.stop();
  });
});
