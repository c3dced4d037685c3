// Blobs in a bucket of S3-compatible storage, all below one prefix: nothing outside it is read, listed or deleted.
// S3 has no "create only" that every server knows (some ignore `If-None-Match: *`, some answer 501), so `put` does
// not look for a blob under its key: keys hold random parts, and repeating an unanswered `put` is harmless.
import { Readable } from 'node:stream';
import type { GetObjectCommandOutput, S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { AppError, toError } from '../../kernel/app-error.ts';
import { type BlobInfo, type BlobStore, isBlobKey } from '../../kernel/blob-store.ts';

export interface S3Options {
  /** Null: Amazon's own for the region. */
  endpoint: string | null;
  region: string;
  bucket: string;
  /** Ends with `/`. */
  prefix: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** `endpoint/bucket/key` instead of `bucket.endpoint/key`. */
  forcePathStyle: boolean;
}

export interface S3BlobStore extends BlobStore {
  /** A URL under which anybody may read this blob for that time; whether it exists is not checked. */
  presign(key: string, seconds: number): Promise<string>;
  stop(): Promise<void>;
}

interface Deps {
  /** The SDK's module: loaded on first use, because that takes longer than all the rest of a start. */
  sdk: typeof import('@aws-sdk/client-s3');
  client: S3Client;
  bucket: string;
  prefix: string;
}

const CONNECT_MS_MAX = 5_000;
/** Until an answer begins; an upload has to get its bytes through first. */
const ANSWER_MS_MAX = 10_000;
const UPLOAD_MS_MAX = 60_000;
/** Between two pieces of an answer. */
const SILENCE_MS_MAX = 60_000;
/** Every reader of an image holds a connection while it reads. */
const CONNECTIONS_MAX = 512;
const TRIES_MAX = 3;

/** Does not ask whether the bucket can be reached: the first use tells. */
export async function createS3BlobStore(options: S3Options): Promise<S3BlobStore> {
  const { bucket, prefix } = options;
  if (!/[^/]\/$/.test(prefix)) throw new Error(`not a prefix: ${prefix}`);
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client(clientConfig(options));
  const deps: Deps = { sdk, client, bucket, prefix };

  const objectOf = (key: string): { Bucket: string; Key: string } => {
    if (!isBlobKey(key)) throw new Error(`not a blob key: ${key}`);
    return { Bucket: bucket, Key: prefix + key };
  };

  return {
    async put(key, bytes) {
      const command = new sdk.PutObjectCommand({ ...objectOf(key), Body: bytes });
      await answered(client.send(command, { requestTimeout: UPLOAD_MS_MAX }));
    },

    async read(key) {
      const found = await get(deps, objectOf(key));
      return found && (await answered(bodyOf(found).transformToByteArray()));
    },

    async open(key, range) {
      const object = objectOf(key);
      try {
        const found = await get(deps, object, range);
        return found && { stream: bodyOf(found), sizeBytes: wholeSizeOf(found) };
      } catch (error) {
        if (!isRangeRefusal(error)) throw error;
        // It starts behind the end. A file has no bytes there either.
        const { ContentLength = 0 } = await answered(
          client.send(new sdk.HeadObjectCommand(object)),
        );
        return { stream: Readable.from([]), sizeBytes: ContentLength };
      }
    },

    async delete(key) {
      const command = new sdk.DeleteObjectCommand(objectOf(key));
      await answered(absentAsNull(client.send(command)));
    },

    list: (wanted) => listPages(deps, wanted),

    async presign(key, seconds) {
      const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
      return getSignedUrl(client, new sdk.GetObjectCommand(objectOf(key)), { expiresIn: seconds });
    },

    async stop() {
      client.destroy();
    },
  };
}

/** Everything that the SDK would otherwise take from the environment or from files in the home folder is named. */
function clientConfig(options: S3Options): S3ClientConfig {
  const { endpoint, region, accessKeyId, secretAccessKey, forcePathStyle } = options;
  return {
    ...(endpoint === null ? { ignoreConfiguredEndpointUrls: true } : { endpoint }),
    region,
    forcePathStyle,
    credentials: { accessKeyId, secretAccessKey },
    maxAttempts: TRIES_MAX,
    retryMode: 'standard',
    defaultsMode: 'standard',
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    useArnRegion: false,
    disableS3ExpressSessionAuth: true,
    requestHandler: {
      connectionTimeout: CONNECT_MS_MAX,
      requestTimeout: ANSWER_MS_MAX,
      throwOnRequestTimeout: true,
      socketTimeout: SILENCE_MS_MAX,
      httpAgent: { keepAlive: true, maxSockets: CONNECTIONS_MAX },
      httpsAgent: { keepAlive: true, maxSockets: CONNECTIONS_MAX },
    },
  };
}

async function get(
  { sdk, client }: Deps,
  object: { Bucket: string; Key: string },
  range?: { start: number; end: number },
): Promise<GetObjectCommandOutput | null> {
  const wanted = range ? { Range: `bytes=${range.start}-${range.end}` } : {};
  return answered(absentAsNull(client.send(new sdk.GetObjectCommand({ ...object, ...wanted }))));
}

type Body = Readable & { transformToByteArray(): Promise<Uint8Array> };

function bodyOf(found: GetObjectCommandOutput): Body {
  if (found.Body instanceof Readable) return found.Body;
  throw unavailable(new Error('an answer without a body'));
}

function wholeSizeOf({ ContentRange, ContentLength }: GetObjectCommandOutput): number {
  const size = ContentRange === undefined ? ContentLength : Number(ContentRange.split('/')[1]);
  if (size !== undefined && Number.isSafeInteger(size)) return size;
  throw unavailable(new Error(`an answer without a size (Content-Range: ${ContentRange})`));
}

async function* listPages(deps: Deps, wanted: string): AsyncGenerator<BlobInfo> {
  const { sdk, client, bucket, prefix } = deps;
  for (let token: string | undefined; ; ) {
    const page = await answered(
      client.send(
        new sdk.ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix + wanted,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      ),
    );
    for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
      const key = Key.slice(prefix.length);
      // Anything else below the prefix, such as a console's folder marks, is not ours.
      if (!Key.startsWith(prefix + wanted) || !isBlobKey(key) || !LastModified) continue;
      yield { key, sizeBytes: Size, modifiedAt: LastModified.getTime() };
    }
    if (page.IsTruncated === false) return;
    token = page.NextContinuationToken;
    if (token === undefined) throw unavailable(new Error('a list without an end'));
  }
}

async function absentAsNull<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (toError(error).name === 'NoSuchKey') return null;
    throw error;
  }
}

/** Whatever the storage refuses or does not answer, after the SDK's own retries, is one error to its users. */
async function answered<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw unavailable(error);
  }
}

function unavailable(cause: unknown): AppError {
  const { name, message } = toError(cause);
  return new AppError('storage_unavailable', 'The image storage did not answer. Try again.', {
    retryAfterSeconds: 1,
    detail: `S3: ${name}: ${message}`,
    cause,
  });
}

function isRangeRefusal(error: unknown): boolean {
  return error instanceof AppError && toError(error.cause).name === 'InvalidRange';
}
