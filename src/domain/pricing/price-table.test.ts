// Every price that is listed, written by hand: model, what decides it, US cents.
import { expect, it } from 'vitest';
import { defaultCatalog } from '../catalog/index.ts';
import { priceQuote, priceSchedules } from './index.ts';

const BY_RESOLUTION: readonly (readonly [object, number])[] = [
  [{}, 6],
  [{ output_resolution: '1k' }, 6],
  [{ output_resolution: '2k' }, 10],
  [{ output_resolution: '4k' }, 16],
];
const BY_QUALITY: readonly (readonly [object, number])[] = [
  [{}, 4],
  [{ quality: 'medium' }, 4],
  [{ quality: 'high' }, 22],
];
const BY_COUNT: readonly (readonly [object, number])[] = [
  [{}, 6],
  [{ output_count: 1 }, 6],
  [{ output_count: 2 }, 7],
  [{ output_count: 4 }, 8],
];
const TABLE: Readonly<Record<string, readonly (readonly [object, number])[]>> = {
  'gpt-image-2': BY_RESOLUTION,
  'gpt-image-2.5-flare': BY_RESOLUTION,
  'gpt-image-2.5-sunburst': BY_RESOLUTION,
  'gpt-image-1.5': BY_QUALITY,
  'gpt-4o-image': BY_COUNT,
};
const cells = priceSchedules(defaultCatalog, {}).flatMap((row) =>
  (TABLE[String(row['model'])] ?? []).map(
    ([params, cents]) =>
      [row['model'], row['action'], JSON.stringify(params), cents, row['service']] as const,
  ),
);

it('every model of the catalogue is in the table', () => {
  const models = priceSchedules(defaultCatalog, {}).map((row) => String(row['model']));
  expect([...new Set(models)].sort()).toEqual(Object.keys(TABLE).sort());
});

it.each(cells)('%s %s %s costs %d cents', (model, action, params, cents, service) => {
  const body = { service, action, model, params: JSON.parse(params) };
  expect(priceQuote(defaultCatalog, body as never)).toMatchObject({
    price_quote: { reservation_amount_cents: cents },
  });
});
