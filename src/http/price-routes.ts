// The price list and single prices; open to everybody, as the official clients ask without a key too.
import { createHash } from 'node:crypto';
import { priceQuery } from '../contract/schemas.ts';
import { priceQuote, priceSchedules } from '../domain/pricing/index.ts';
import type { JsonObject } from '../kernel/json.ts';
import { type Door, type Handler, header } from './door.ts';
import { readQuery } from './query.ts';

/** The catalogue is this process's own, so it is of now. */
const asOf = (door: Door) => new Date(door.ctx.clock.now()).toISOString();

export const priceSchedulesHandler: Handler = (door, request, reply) => {
  const schedules = priceSchedules(door.ctx.catalog, readQuery(priceQuery, request));
  const hash = createHash('sha256').update(JSON.stringify(schedules)).digest('base64url');
  const etag = `"${hash.slice(0, 27)}"`;
  reply.header('etag', etag).header('cache-control', 'public, no-cache');
  const known = header(request, 'if-none-match')?.split(/\s*,\s*/) ?? [];
  if (known.some((one) => one.replace(/^W\//, '') === etag)) return reply.code(304).send();
  return { as_of: asOf(door), price_schedules: [...schedules] };
};

export const priceQuoteHandler: Handler = (door, request) => {
  const { price_quote } = priceQuote(door.ctx.catalog, request.body as JsonObject);
  return { price_quote: { ...(price_quote as JsonObject), as_of: asOf(door) } };
};
