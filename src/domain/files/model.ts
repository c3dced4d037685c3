// Stored images: what a task took in and what it made.

export interface OutputImage {
  index: number;
  /** Unguessable; the public path is `/outputs/<token>.<ext>`. */
  token: string;
  blobKey: string;
  contentType: string;
  width: number;
  height: number;
  sizeBytes: number;
  /** Lower-case hex. */
  sha256: string;
  /** What was done to the provider's bytes: resized, reencoded, cut_out. */
  processed: readonly string[];
  expiresAt: number;
}

/** A source image: bytes already in the blob store, or a URL to be fetched once when the task runs. */
export type TaskSource =
  | { kind: 'blob'; blobKey: string; contentType: string; width: number; height: number }
  | { kind: 'url'; url: string };
