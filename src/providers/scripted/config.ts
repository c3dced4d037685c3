import { z } from 'zod';

/** A `providers` entry of the configuration file; there is no other way to switch the test provider on. */
export const scriptedConfigSchema = z.strictObject({
  type: z.literal('scripted'),
  /** `immediate` answers with the images, `job` with an id to poll. */
  form: z.enum(['immediate', 'job']).default('immediate'),
  base_url: z.url(),
  repeatable: z.boolean().default(false),
});
