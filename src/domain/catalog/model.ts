// The catalogue: services, actions, models, fields, rules, sizes, prices. Data, checked by one schema, so
// that adding a model needs no code.
import { z } from 'zod';

const enumValue = z.union([z.string(), z.int()]);

/** One field of an action, as the contract names it (contract §3.1). Lengths count characters. */
const fieldSchema = z.strictObject({
  type: z.enum(['string', 'integer', 'boolean', 'url', 'image_url', 'image_url_list']),
  required: z.boolean().default(false),
  /** Not required when this other field is present. */
  required_unless: z.string().optional(),
  enum: z.array(enumValue).optional(),
  default: z.union([z.string(), z.int(), z.boolean()]).optional(),
  min_length: z.int().optional(),
  max_length: z.int().optional(),
  min_items: z.int().optional(),
  max_items: z.int().optional(),
  description: z.string(),
});

/** A combination that is refused: `forbid` must be absent when all conditions hold (contract §1.7, §3.2). */
const ruleSchema = z.strictObject({
  /** Field → a value, or `present` / `absent`. */
  when: z.record(
    z.string(),
    z.union([z.strictObject({ is: enumValue }), z.literal(['present', 'absent'])]),
  ),
  forbid: z.string(),
});

const priceSchema = z.strictObject({
  /** The field that decides the price. */
  by: z.string(),
  /** US cents by that field's value; with `per_request`, by the number of delivered outputs. */
  cents: z.record(z.string(), z.number().nonnegative()),
  default: z.number().nonnegative(),
  per_request: z.boolean().default(false),
});

const modelSchema = z.strictObject({
  /** Other names, by action. */
  aliases: z.record(z.string(), z.array(z.string())).default({}),
  price: priceSchema,
  sizes: z.string(),
  /** The vendor's last day, and what follows. */
  ends_on: z.string().optional(),
  successor: z.string().optional(),
  note: z.string().optional(),
});

const serviceSchema = z.strictObject({
  actions: z.record(
    z.string(),
    z.strictObject({
      fields: z.record(z.string(), fieldSchema),
      rules: z.array(ruleSchema).default([]),
    }),
  ),
  models: z.record(z.string(), modelSchema),
  /** On /v1/edit_image this service's text_to_image action is meant, with sources required. */
  edits_by_text_to_image: z.boolean().default(false),
});

export const catalogSchema = z.strictObject({
  services: z.record(z.string(), serviceSchema),
  /** Size tables by name: tier → ratio → [width, height] in pixels. */
  sizes: z.record(
    z.string(),
    z.record(z.string(), z.record(z.string(), z.tuple([z.int(), z.int()]))),
  ),
});

export type Catalog = z.output<typeof catalogSchema>;
export type FieldSpec = z.output<typeof fieldSchema>;
export type RuleSpec = z.output<typeof ruleSchema>;
export type ModelSpec = z.output<typeof modelSchema>;
export type ServiceSpec = z.output<typeof serviceSchema>;
