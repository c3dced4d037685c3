// The price list and single prices as the official clients ask for them (contract §2.2).
import { AppError } from '../../kernel/app-error.ts';
import type { JsonObject } from '../../kernel/json.ts';
import { microCentsToCents } from '../../kernel/money.ts';
import { type Catalog, readCreateRequest } from '../catalog/index.ts';
import { quoteFor } from './quote.ts';

export interface PriceFilter {
  service?: string | undefined;
  action?: string | undefined;
  model?: string | undefined;
}

/** What a request must have though its price does not depend on it. */
const NEUTRAL: JsonObject = {
  prompt: 'x',
  source_image_urls: ['https://example.com/x.png'],
  aspect_ratio: '3:2',
  quality: 'medium',
};
/** Rules demand it beside others, though no field does alone. */
const ASKED_BY_RULES = 'aspect_ratio';

/** One row for each action of each model; hyphens and underscores mean the same in service and action. */
export function priceSchedules(catalog: Catalog, filter: PriceFilter): readonly JsonObject[] {
  const fits = (wanted: string | undefined, name: string) =>
    wanted === undefined || wanted.replaceAll('-', '_') === name;
  return Object.entries(catalog.services).flatMap(([service, { actions, models }]) =>
    Object.keys(actions).flatMap((action) =>
      Object.entries(models)
        .filter(
          ([model]) =>
            fits(filter.service, service) &&
            fits(filter.action, action) &&
            (filter.model === undefined || filter.model === model),
        )
        .map(([model, { price }]) => {
          const { by: key, cents, default: unit } = price;
          const overrides = Object.entries(cents).filter(([, value]) => value !== unit);
          return {
            ...{ service, action, model },
            pricing_status: 'available',
            catalog_status: 'active',
            currency: 'USD',
            billing_unit: 'call',
            billing_strategy: 'flat',
            unit_price_cents: unit,
            ...Object.fromEntries(TOKEN_PRICES.map((name) => [`${name}_per_1m_cents`, null])),
            billing_config: { key, overrides: Object.fromEntries(overrides) },
          };
        }),
    ),
  );
}

const TOKEN_PRICES = [
  'input_price',
  'output_price',
  'cache_read_price',
  'cache_write_price',
  'cache_write_5m_price',
  'cache_write_1h_price',
];

/** The price of a request that need not be complete: only what is present and wrong is refused. */
export function priceQuote(catalog: Catalog, body: JsonObject): JsonObject {
  const text = (name: string) => {
    const value = body[name];
    if (typeof value === 'string' && value.trim() !== '') return value.replaceAll('-', '_');
    const sentence = `${name} is required`;
    throw new AppError('invalid_request', sentence, { fields: { [name]: [sentence] } });
  };
  const service = text('service');
  const action = text('action');
  const given = body['params'];
  // Some clients send an empty object as a list.
  const params = (
    given && typeof given === 'object' && !Array.isArray(given) ? given : {}
  ) as JsonObject;
  const model = body['model'] ?? params['model'] ?? null;
  const read = readCreateRequest(catalog, {
    flavour: 'api',
    service,
    action,
    body: { ...neutralFor(catalog, service, action), ...params, model },
    isPublicUrl: () => true,
  });
  if (!read.ok) {
    const fields =
      'fields' in read ? read.fields : { action: [`there is no ${service}/${action}`] };
    throw new AppError('invalid_request', Object.values(fields).flat().join('; '), { fields });
  }
  const { amount } = quoteFor(catalog, read.request);
  return {
    price_quote: {
      ...{ service, action, model: read.request.model },
      pricing_status: 'available',
      currency: 'USD',
      reservation_amount_cents: microCentsToCents(amount),
      estimate_basis: 'exact',
    },
  };
}

function neutralFor(catalog: Catalog, service: string, action: string): JsonObject {
  const fields = catalog.services[service]?.actions[action]?.fields ?? {};
  return Object.fromEntries(
    Object.entries(NEUTRAL).filter(
      ([name]) => fields[name] && (fields[name].required || name === ASKED_BY_RULES),
    ),
  );
}
