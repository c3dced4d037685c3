// What the scripted provider and its upstream say to each other.
import type { FailureClass } from '../provider.ts';

export interface CreateMessage {
  taskId: string;
  attempt: number;
  prompt: string;
  width: number;
  height: number;
  format: string;
  missing: readonly number[];
  /** Sent by a repeatable provider: the same key is the same create, billed once. */
  idempotencyKey: string | null;
}

/** What happens to a create, in order. The immediate form streams these, one JSON text a line. */
export type Message =
  | { kind: 'progress'; fraction: number }
  | { kind: 'partial'; index: number; b64: string }
  | { kind: 'image'; index: number; b64: string }
  | { kind: 'done' }
  | { kind: 'failed'; class: FailureClass; message: string; retryAfterMs: number | null };

/** The answer to a poll: what is due after the `after` messages that the caller has seen. */
export interface PollAnswer {
  messages: readonly Message[];
}
