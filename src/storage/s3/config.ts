// The settings of the S3 store: the section `s3` of the configuration. Its presence puts images there.
import { z } from 'zod';
import type { S3Options } from './blob-store.ts';

/** S3 keys have at most 1,024 bytes; the rest is for ours. */
const PREFIX_BYTES_MAX = 512;

const required = () =>
  z
    .string({ error: ({ input }) => (input === undefined ? 'is missing' : 'is no text') })
    .min(1, 'is missing');

export const s3ConfigSchema = z
  .strictObject({
    bucket: required().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'is not the name of a bucket'),
    endpoint: z
      .string()
      .refine(isEndpoint, 'is not an http or https URL such as https://s3.example.com')
      .optional(),
    region: z.string().min(1).default('us-east-1'),
    prefix: z
      .string()
      .transform((text) => (text.endsWith('/') ? text : `${text}/`))
      .refine(isPrefix, 'is not a folder in the bucket such as runapi/')
      .default('runapi/'),
    access_key_id: required(),
    secret_access_key: required(),
    force_path_style: z.boolean({ error: 'is neither true nor false' }).optional(),
  })
  .transform(
    (s3): S3Options => ({
      endpoint: s3.endpoint ?? null,
      region: s3.region,
      bucket: s3.bucket,
      prefix: s3.prefix,
      accessKeyId: s3.access_key_id,
      secretAccessKey: s3.secret_access_key,
      // Few servers but Amazon's have a host name for every bucket.
      forcePathStyle: s3.force_path_style ?? s3.endpoint !== undefined,
    }),
  );

function isEndpoint(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.search === '' && url.hash === '' && url.username === '' && url.password === '';
}

function isPrefix(text: string): boolean {
  const parts = text.slice(0, -1).split('/');
  return (
    parts.every((part) => part !== '' && part !== '.' && part !== '..') &&
    !/\p{Cc}/u.test(text) &&
    Buffer.byteLength(text) <= PREFIX_BYTES_MAX
  );
}
