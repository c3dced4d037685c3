// A task: one accepted request. Status on the wire is exactly pending → processing → completed | failed.
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import type { MicroCents } from '../../kernel/money.ts';
import type { OutputImage, TaskSource } from '../files/model.ts';
import type { Quote } from '../pricing/index.ts';

export type { OutputImage, Quote, TaskSource };

export type TaskStatus = 'pending' | 'processing' | 'completed' | 'failed';

/** Who can work on a task: the built-in engine, one at a time, or upstreams, many at once. */
export type Lane = 'built_in' | 'upstream';

/** Machine codes of a failed task (contract §1.5). */
export type TaskErrorCode =
  | 'content_policy'
  | 'source_unreachable'
  | 'source_invalid'
  | 'provider_error'
  | 'provider_quota'
  | 'upstream_bad_response'
  | 'no_provider'
  | 'worker_lost'
  | 'interrupted_by_restore'
  | 'expired'
  | 'canceled'
  | 'internal_error';

export interface Warning {
  code: string;
  message: string;
}

/** What was understood of a request and is sent to a provider. */
export interface Interpretation {
  /** Canonical model name. */
  model: string;
  /** `1728x2304`, or `auto` while the provider or the first source decides. */
  size: string;
  aspect_ratio: string;
  background: 'transparent' | 'opaque' | 'auto';
  output_format: 'png' | 'webp' | 'jpeg';
  quality: string;
}

export interface TaskFailure {
  code: TaskErrorCode;
  /** A sentence for the caller; never a vendor's text. */
  message: string;
}

export interface Task {
  /** Canonical UUIDv7. */
  id: string;
  accountId: number;
  keyId: string;
  /** false: a sandbox key's task, which never reaches an upstream. */
  isLive: boolean;
  service: string;
  action: string;
  /** Canonical model. */
  model: string;
  /** The model's name as the caller wrote it. */
  modelAsSent: string;
  status: TaskStatus;
  failure: TaskFailure | null;
  /** Normalised fields without prompt, sources and mask. */
  params: JsonObject;
  outputCount: number;
  interpretation: Interpretation;
  warnings: readonly Warning[];
  quote: Quote;
  /** What was charged; null until terminal. */
  charged: MicroCents | null;
  provider: string | null;
  clientRequestId: string | null;
  callbackUrl: string | null;
  createdAt: number;
  deadlineAt: number;
  finishedAt: number | null;
  outputsExpiredAt: number | null;
  /** In index order; only those of a completed task are shown to callers. */
  outputs: readonly OutputImage[];
}

/** The erasable part of a task. */
export interface TaskInput {
  prompt: string;
  sources: readonly TaskSource[];
  mask: TaskSource | null;
}

export type AttemptState =
  | 'started'
  | 'submitted'
  | 'succeeded'
  | 'failed'
  | 'uncertain'
  | 'discarded';

/** One try at one upstream. The row exists before the call is made. */
export interface Attempt {
  number: number;
  provider: string;
  state: AttemptState;
  /** Claim under which it was last written. */
  claim: number;
  /** The upstream's own job handle, opaque to us; null when it has none. */
  handle: JsonValue;
  /** Class of the outcome (`ProviderFailure.class`), null while open or when it succeeded. */
  failureClass: string | null;
  /** For operators; may hold vendor words. */
  detail: string | null;
  /** In micro-cents; what the upstream is known to have billed. */
  upstreamCost: number | null;
  startedAt: number;
  finishedAt: number | null;
}

export function isTerminal(status: TaskStatus): boolean {
  return status === 'completed' || status === 'failed';
}
