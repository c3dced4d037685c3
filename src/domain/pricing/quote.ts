import { centsToMicroCents, type MicroCents, toMicroCents } from '../../kernel/money.ts';
import type { Catalog, CreateRequest } from '../catalog/index.ts';

/** What a task costs, fixed at accept. `byCount` is set where the price depends on delivered outputs. */
export interface Quote {
  amount: MicroCents;
  /** Listed output count → price, for models priced per request by count. */
  byCount: Readonly<Record<number, MicroCents>> | null;
}

/** The catalogue's price of a request. */
export function quoteFor(catalog: Catalog, request: CreateRequest): Quote {
  const price = catalog.services[request.service]?.models[request.model]?.price;
  if (!price) throw new Error(`the catalogue has no price for ${request.model}`);
  const value = request.params[price.by];
  const listed = Object.hasOwn(price.cents, String(value)) ? price.cents[String(value)] : undefined;
  const amount = centsToMicroCents(listed ?? price.default);
  if (!price.per_request) return { amount, byCount: null };
  const byCount = Object.entries(price.cents).map(([count, cents]): [number, MicroCents] => [
    Number(count),
    centsToMicroCents(cents),
  ]);
  return { amount, byCount: Object.fromEntries(byCount) };
}

/** What is charged for `delivered` outputs: the largest listed count that was delivered; nothing for none. */
export function chargeFor(quote: Quote, delivered: number): MicroCents {
  if (delivered <= 0) return toMicroCents(0);
  if (quote.byCount === null) return quote.amount;
  const counts = Object.keys(quote.byCount).map(Number);
  const best = Math.max(0, ...counts.filter((count) => count <= delivered));
  return quote.byCount[best] ?? toMicroCents(0);
}
