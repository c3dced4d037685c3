// The price list and single prices; open to everybody, as the official clients ask without a key too.
import { createHash } from 'node:crypto';
import { priceQuery } from '../contract/schemas.ts';
import { priceQuote, priceSchedules } from '../domain/pricing/index.ts';
import type { JsonObject } from '../kernel/json.ts';
import { type Handler, header } from './door.ts';
import { readQuery } from './query.ts';

/** The catalogue does not change while the process runs. */
const AS_OF = new Date().toISOString();

export const priceSchedulesHandler: Handler = (door, request, reply) => {
  const schedules = priceSchedules(door.ctx.catalog, readQuery(priceQuery, request));
  const hash = createHash('sha256').update(JSON.stringify(schedules)).digest('base64url');
  const etag = `"${hash.slice(0, 27)}"`;
  reply.header('etag', etag).header('cache-control', 'public, no-cache');
  const known = header(request, 'if-none-match')?.split(/\s*,\s*/) ?? [];
  if (known.some((one) => one.replace(/^W\//, '') === etag)) return reply.code(304).send();
  return { as_of: AS_OF, price_schedules: [...schedules] };
};

export const priceQuoteHandler: Handler = (door, request) => {
  const { price_quote } = priceQuote(door.ctx.catalog, request.body as JsonObject);
  return { price_quote: { ...(price_quote as JsonObject), as_of: AS_OF } };
};
