// The wire shapes, once: what the HTTP door checks queries with and what the OpenAPI document shows.
import { z } from 'zod';

const integerIn = (name: string, min: number, max: number) => {
  const error = `${name} must be an integer between ${min} and ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, { error })
    .transform(Number)
    .pipe(z.int().min(min, { error }).max(max, { error }));
};

export const waitQuery = z.object({
  wait: integerIn('wait', 1, 60).optional().describe('Seconds to wait for the task to end.'),
});

export const createQuery = z.object({
  dry_run: z
    .enum(['true', 'false'], { error: 'dry_run must be true or false' })
    .optional()
    .describe(
      'true: check everything and answer price, provider and size (DryRun); nothing is stored or charged.',
    ),
});

export const listQuery = z.object({
  after: z.string().optional().describe('The id of the last task of the page before.'),
  limit: integerIn('limit', 1, 100).optional().describe('Tasks per page; 20 when absent.'),
  client_request_id: z
    .string()
    .max(512, { error: 'client_request_id must be at most 512 characters' })
    .optional()
    .describe('Only tasks created with this X-Client-Request-Id.'),
});

export const priceQuery = z.object({
  service: z.string().optional(),
  action: z.string().optional(),
  model: z.string().optional(),
});

export const taskStatus = z.enum(['pending', 'processing', 'completed', 'failed']);

export const warning = z.object({ code: z.string(), message: z.string() });

export const interpretation = z
  .object({
    model: z.string(),
    size: z.string().describe('Width x height in pixels; auto until a source decides it.'),
    aspect_ratio: z.string(),
    background: z.enum(['transparent', 'opaque', 'auto']),
    output_format: z.enum(['png', 'webp', 'jpeg']),
    quality: z.string(),
  })
  .describe('What was understood and is sent to the provider.');

export const image = z.object({
  url: z.string().describe('Needs no key; unchanged until expires_at, then 410.'),
  width: z.int(),
  height: z.int(),
  content_type: z.string(),
  size_bytes: z.int(),
  sha256: z.string(),
  expires_at: z.iso.datetime(),
  processed: z
    .array(z.enum(['resized', 'reencoded', 'cut_out']))
    .optional()
    .describe("What was done to the provider's bytes; absent when they are unchanged."),
});

const urls = z.object({ get: z.string(), events: z.string(), cancel: z.string() });

const identity = {
  id: z.uuid().describe('The task.'),
  task_id: z.string().describe('On /v1: tsk_ and the id in base32. Elsewhere: the id.'),
  status: taskStatus,
  model: z.string().describe('The model as it was asked for.'),
  client_request_id: z.string().optional(),
};

export const createdTask = z.object({
  ...identity,
  task_replayed: z
    .literal(true)
    .optional()
    .describe('The Idempotency-Key was used before: this is the original task.'),
  quote: z.object({ amount_cents: z.number() }).describe('What is charged when all is delivered.'),
  warnings: z.array(warning),
  interpretation,
  urls,
});

export const dryRun = z.object({
  dry_run: z.literal(true),
  model: z.string(),
  provider: z.string().nullable().describe('Who would be asked first.'),
  quote: z.object({ amount_cents: z.number() }),
  balance_after_cents: z.number(),
  warnings: z.array(warning),
  interpretation,
});

export const task = z.object({
  ...identity,
  created_at: z.iso.datetime(),
  finished_at: z.iso.datetime().optional(),
  images: z.array(image).optional().describe('When completed.'),
  usage: z
    .object({ cost: z.number().describe('US dollars.'), generated_images: z.int() })
    .optional(),
  error: z.string().optional().describe('When failed: a sentence.'),
  error_code: z.string().optional(),
  outputs_expired_at: z.iso.datetime().optional(),
  provider: z.string().nullable(),
  warnings: z.array(warning),
  interpretation,
  urls,
});

export const taskResult = task.extend({
  response: z
    .object({
      status: z.int(),
      content_type: z.string(),
      headers: z.object({}),
      body: z.looseObject({}),
    })
    .optional()
    .describe('Once terminal: the response that the task stands for.'),
});

export const taskList = z.object({
  object: z.literal('list'),
  data: z.array(task),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
});

export const errorAnswer = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    type: z.string(),
    param: z.string().optional(),
    limit_source: z.string().optional().describe('Which balance or limit refused.'),
  }),
  code: z.string(),
  errors: z
    .record(z.string(), z.array(z.string()))
    .optional()
    .describe('All wrong fields at once, each with its sentences.'),
});

export const me = z.object({
  id: z.int(),
  name: z.string(),
  email: z.string(),
  account: z.object({ id: z.int(), name: z.string() }),
});

export const balance = z.object({
  balance_cents: z.int().describe('What can be spent now.'),
  paid_balance_cents: z.int(),
  bonus_balance_cents: z.int(),
  spent_cents_today: z.int(),
  spent_cents_total: z.int(),
});

export const priceSchedules = z.object({
  as_of: z.iso.datetime(),
  price_schedules: z.array(
    z.looseObject({
      service: z.string(),
      action: z.string(),
      model: z.string(),
      unit_price_cents: z.number().describe('Of a value without an override.'),
      billing_config: z.object({ key: z.string(), overrides: z.record(z.string(), z.number()) }),
    }),
  ),
});

export const priceQuote = z.object({
  price_quote: z.looseObject({
    service: z.string(),
    action: z.string(),
    model: z.string(),
    reservation_amount_cents: z.number(),
  }),
});

export const health = z.object({ status: z.enum(['ok', 'starting']) });

export const SCHEMAS = {
  Task: task,
  CreatedTask: createdTask,
  DryRun: dryRun,
  TaskResult: taskResult,
  TaskList: taskList,
  Image: image,
  Me: me,
  Balance: balance,
  PriceSchedules: priceSchedules,
  PriceQuote: priceQuote,
  Error: errorAnswer,
  Health: health,
} as const;

export type SchemaName = keyof typeof SCHEMAS;
