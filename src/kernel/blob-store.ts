// The port to image bytes. Keys are chosen by the caller, `/`-separated, and written once.
import type { Readable } from 'node:stream';

export interface BlobInfo {
  key: string;
  sizeBytes: number;
  modifiedAt: number;
}

export interface BlobStore {
  /** Durable when it resolves. Overwrites nothing: a key that exists is an error. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** The whole blob, or null when there is none. */
  read(key: string): Promise<Uint8Array | null>;
  /** A stream of bytes `start..end` (inclusive), or null when there is no such blob. */
  open(
    key: string,
    range?: { start: number; end: number },
  ): Promise<{ stream: Readable; sizeBytes: number } | null>;
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>;
  /** Every blob whose key starts with `prefix`, in no particular order. */
  list(prefix: string): AsyncIterable<BlobInfo>;
}
