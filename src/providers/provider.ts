// The contract every provider fulfils. Outcomes are values; only bugs throw.
import type { JsonValue } from '../kernel/json.ts';

export interface SourceImage {
  bytes: Uint8Array;
  contentType: string;
  width: number;
  height: number;
}

/** What a provider is asked to make. Sizes in pixels. */
export interface ProviderJob {
  taskId: string;
  /** 1-based; with `taskId` the upstream idempotency key where one is taken. */
  attempt: number;
  service: string;
  action: string;
  model: string;
  prompt: string;
  /** The exact size to make; null: the provider decides (`size: auto`). */
  size: { width: number; height: number } | null;
  aspectRatio: string;
  background: 'transparent' | 'opaque' | 'auto';
  format: 'png' | 'webp' | 'jpeg';
  quality: string;
  /** Total outputs asked for, and the indices still missing. */
  outputCount: number;
  missing: readonly number[];
  sources: readonly SourceImage[];
  mask: SourceImage | null;
}

export interface DeliveredImage {
  bytes: Uint8Array;
}

export interface ProviderIo {
  /** Aborted on cancel, deadline, lost lease or forced shutdown. */
  signal: AbortSignal;
  /** Hands over one finished output; resolves when it is stored and recorded. Rejects when it must not go on. */
  deliver(index: number, image: DeliveredImage): Promise<void>;
  /** 0..1, for SSE. */
  onProgress(fraction: number): void;
  onPartial(index: number, image: { bytes: Uint8Array; contentType: string }): void;
  addWarning(warning: { code: string; message: string }): void;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/**
 * caller and moderation are final; the others may move to the next provider of the route.
 * `uncertain`: the upstream may have accepted (and billed) the create.
 */
export type FailureClass =
  | 'caller'
  | 'moderation'
  | 'operator'
  | 'capability'
  | 'try_later'
  | 'uncertain'
  | 'bad_response';

export interface ProviderFailure {
  class: FailureClass;
  /** A sentence for the caller, in our words. Used for `caller` and `moderation`; others get a standard one. */
  message: string;
  /** For operators' logs and the attempt row; may quote the vendor. */
  detail?: string;
  retryAfterMs?: number;
}

export type ProviderOutcome =
  /** Everything asked for, or as much as there will be, went through `io.deliver`. */
  | { kind: 'done'; upstreamCost?: number }
  /** The upstream works on it under this handle; poll after `pollAfterMs`. */
  | { kind: 'submitted'; handle: JsonValue; pollAfterMs: number }
  | { kind: 'pending'; pollAfterMs: number; progress?: number }
  | { kind: 'failed'; failure: ProviderFailure; upstreamCost?: number };

export interface Provider {
  /** As shown to callers and in the attempt log. */
  readonly id: string;
  /** true: a create may be repeated without being billed twice, so a lost answer is never uncertain. */
  readonly isRepeatable: boolean;
  /** true: real pictures of a hosted or local model; false: says so with a warning on each task. */
  readonly isBuiltIn: boolean;
  submit(job: ProviderJob, io: ProviderIo): Promise<ProviderOutcome>;
  poll?(handle: JsonValue, job: ProviderJob, io: ProviderIo): Promise<ProviderOutcome>;
  /** Best effort; tells the upstream to stop. `billed`: it will bill all the same. */
  cancel?(handle: JsonValue): Promise<{ billed: boolean }>;
  stop?(): Promise<void>;
}
