// The port to image bytes. Keys are chosen by the caller, `/`-separated, and written once.
import type { Readable } from 'node:stream';

const KEY = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

export interface BlobInfo {
  key: string;
  sizeBytes: number;
  modifiedAt: number;
}

export interface BlobStore {
  /**
   * Durable when it resolves. Callers never use a key twice; a store that can tell refuses one that exists.
   * Rejects with AppError `storage_unavailable` when the store did not answer: the blob may be there or not.
   */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** The whole blob, or null when there is none. */
  read(key: string): Promise<Uint8Array | null>;
  /** A stream of bytes `start..end` (inclusive), and the whole blob's size; null when there is no such blob. */
  open(
    key: string,
    range?: { start: number; end: number },
  ): Promise<{ stream: Readable; sizeBytes: number } | null>;
  /** Deleting what is not there is no error. */
  delete(key: string): Promise<void>;
  /** Every blob whose key starts with `prefix`, in no particular order. */
  list(prefix: string): AsyncIterable<BlobInfo>;
  stop?(): Promise<void>;
}

/** Whether every store takes this key: its parts are letters, digits, `_`, `-` and, not in front, `.`. */
export function isBlobKey(key: string): boolean {
  return KEY.test(key);
}
