// The contracts of the task transactions. SQL: `storage/<engine>/tasks.ts`. All times are the database's
// clock, read inside the operation; every write by a runner is fenced by (owner, claim, status).
import type { STATE_EVENTS } from '../../contract/events.ts';
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import type { MicroCents } from '../../kernel/money.ts';
import type { Hold, Refusal } from '../ledger/operations.ts';
import type {
  Attempt,
  Interpretation,
  Lane,
  OutputImage,
  Quote,
  Task,
  TaskFailure,
  TaskInput,
  TaskSource,
  Warning,
} from './model.ts';

export interface AcceptInput {
  id: string;
  accountId: number;
  keyId: string;
  isLive: boolean;
  service: string;
  action: string;
  model: string;
  modelAsSent: string;
  params: JsonObject;
  outputCount: number;
  interpretation: Interpretation;
  warnings: readonly Warning[];
  quote: Quote;
  /** The quote's amount, or nothing for a sandbox key. */
  hold: Hold;
  /** Who may claim it; fixed at accept. */
  lane: Lane;
  clientRequestId: string | null;
  callbackUrl: string | null;
  /** Deadline = accept + this. */
  deadlineMs: number;
  input: TaskInput;
  idempotency: { key: string; fingerprint: string } | null;
}

/** `replayed`: the idempotency record existed already, nothing was written; neither when `refused`. */
export type AcceptOutput =
  | { kind: 'accepted'; task: Task }
  | { kind: 'replayed'; fingerprint: string; task: Task }
  | { kind: 'refused'; refusal: Refusal };

/** A runner's right to work on a task: every later write names all three. */
export interface Fence {
  taskId: string;
  nodeId: string;
  claim: number;
}

export interface ClaimedTask {
  task: Task;
  /** Until the deadline, by the database's clock; a node's own may be off. */
  remainingMs: number;
  claim: number;
  input: TaskInput;
  /** Oldest first; the last one may be open (`started` or `submitted`) after a takeover. */
  attempts: readonly Attempt[];
}

/** One row of the task's history; `seq` grows by commit order and is the SSE event id. */
export interface TaskEvent {
  seq: number;
  taskId: string;
  type: (typeof STATE_EVENTS)[number];
  createdAt: number;
}

/** `lost`: the fence did not hold, nothing was written. */
export type Fenced<T extends object = object> = ({ lost: false } & T) | { lost: true };

export type TaskOperations = {
  /** Idempotency record + task row (`pending`) + event, at once. */
  'tasks.accept': { input: AcceptInput; output: AcceptOutput };
  /** The idempotency record of (account, live or test, key), with its task. */
  'tasks.findReplay': {
    input: { accountId: number; isLive: boolean; key: string };
    output: { fingerprint: string; task: Task } | null;
  };
  /** Null when unknown or another account's. `accountId` null: any account, for operators. */
  'tasks.get': { input: { taskId: string; accountId: number | null }; output: Task | null };
  /** Newest first, starting after task `after` (null output: that id is unknown to this account). */
  'tasks.list': {
    input: {
      accountId: number;
      after: string | null;
      limit: number;
      clientRequestId: string | null;
    };
    output: { tasks: readonly Task[]; hasMore: boolean } | null;
  };
  'tasks.attempts': { input: { taskId: string }; output: readonly Attempt[] };
  /** Events of a task with `seq > afterSeq`, oldest first. */
  'tasks.events': {
    input: { taskId: string; afterSeq: number };
    output: readonly TaskEvent[];
  };
  /**
   * Takes up to `limit` tasks of a lane: first those whose owner's lease has run out (`lost_count` + 1), then pending
   * ones, oldest first. Raises the claim number; pending ones become `processing`. Tasks past their deadline
   * and tasks lost `lostMax` times are left to `tasks.overdue` and `tasks.lost`.
   */
  'tasks.claim': {
    input: { nodeId: string; lane: Lane; limit: number; lostMax: number };
    output: readonly ClaimedTask[];
  };
  /** Gives a claimed task without open attempt back to the queue (status `pending`, no owner). */
  'tasks.handBack': { input: Fence; output: Fenced };
  /** Writes the attempt row before the upstream call. */
  'tasks.startAttempt': {
    input: Fence & { provider: string };
    output: Fenced<{ number: number }>;
  };
  'tasks.recordHandle': { input: Fence & { attempt: number; handle: JsonValue }; output: Fenced };
  /** URL sources fetched at run replace their `url` form. */
  'tasks.recordSources': {
    input: Fence & { sources: readonly TaskSource[]; mask: TaskSource | null };
    output: Fenced;
  };
  /** An output that arrived; a second write of the same index changes nothing. */
  'tasks.recordOutput': {
    input: Fence & { attempt: number; output: Omit<OutputImage, 'expiresAt'>; retentionMs: number };
    output: Fenced;
  };
  /** Closes an attempt that did not (wholly) succeed. Not fenced: an attempt's end is recorded even after a cancel. */
  'tasks.endAttempt': {
    input: {
      taskId: string;
      attempt: number;
      state: Attempt['state'];
      failureClass: string | null;
      detail: string | null;
      upstreamCost: number | null;
    };
    output: object;
  };
  /** processing → completed with the recorded outputs and the settlement; ends the attempt as succeeded; event. */
  'tasks.complete': {
    input: Fence & {
      accountId: number;
      attempt: number;
      /** Never more than was held. */
      charged: MicroCents;
      /** Must equal the number of recorded outputs, else the fence counts as lost. */
      outputCount: number;
      interpretation: Interpretation;
      warnings: readonly Warning[];
      provider: string;
      upstreamCost: number | null;
    };
    /** After an unanswered finish, the same call again answers `lost: false` when this claim completed it. */
    output: Fenced<{ task: Task }>;
  };
  /** processing → failed by the owner. Charges nothing. */
  'tasks.fail': {
    input: Fence & {
      accountId: number;
      failure: TaskFailure;
      warnings: readonly Warning[];
      provider: string | null;
    };
    output: Fenced<{ task: Task }>;
  };
  /** pending | processing → failed / canceled; a terminal task is answered unchanged. Null: unknown here. */
  'tasks.cancel': {
    input: { taskId: string; accountId: number; message: string };
    output: { task: Task; changed: boolean } | null;
  };
  /**
   * Ends tasks past their deadline + `graceMs` that nobody alive works on: recorded outputs complete them
   * (charged by `quote`), none: failed / expired. Returns those it ended.
   */
  'tasks.expireOverdue': {
    input: { graceMs: number; limit: number; message: string };
    output: readonly Task[];
  };
  /** Fails unowned tasks that were lost `lostMax` times. Returns those it ended. */
  'tasks.failLost': {
    input: { lostMax: number; limit: number; message: string };
    output: readonly Task[];
  };
  /**
   * Ends tasks that wait or run, whoever owns them: recorded outputs complete them (charged by `quote`), none: failed /
   * interrupted_by_restore. Their open attempts are closed, as uncertain where nothing was delivered. For a store that
   * was put back from a backup and that no node works on. Returns those it ended; empty: all have ended.
   */
  'tasks.failUnfinished': {
    input: { limit: number; message: string };
    output: readonly Task[];
  };
  /**
   * Tasks of a lane that wait now, and those that ended in the last `windowMs`. `windowMs` of the output is
   * the part of that window in which this lane was busy (at most since its oldest counted finish).
   */
  'tasks.load': {
    input: { lane: Lane; windowMs: number };
    output: { pending: number; finished: number; windowMs: number };
  };
  /** Terminal tasks cancelled by this key after a submission in the last hour (cancel allowance). */
  'tasks.countCancelsAfterSubmit': { input: { keyId: string; windowMs: number }; output: number };
};

export type OutputOperations = {
  /** The output behind a URL token; `expired` when its retention is over. */
  'outputs.find': {
    input: { token: string };
    output: { output: OutputImage; expired: boolean } | null;
  };
  /** Marks outputs past their retention (task: `outputs_expired_at`) and returns their blob keys for deletion. */
  'outputs.expire': { input: { limit: number }; output: readonly string[] };
  /** Of these blob keys, those that some row names (outputs not expired, task sources of unfinished tasks). */
  'blobs.named': { input: { keys: readonly string[] }; output: readonly string[] };
  /** Erases prompt and sources of tasks that ended more than `afterMs` ago; returns the blob keys no row names any more. */
  'inputs.erase': { input: { afterMs: number; limit: number }; output: readonly string[] };
};

/** Who a node is, for operators. */
export interface NodeFacts {
  /** Host name and process id. */
  name: string;
  version: string;
  /** Hash of its catalogue and routes: nodes that differ answer differently. */
  settingsHash: string;
}

export interface NodeRecord extends NodeFacts {
  id: string;
  startedAt: number;
  isDraining: boolean;
  /** Tasks it works on now. */
  running: number;
}

export type NodeOperations = {
  /** Registers this node. Where the engine has one process, every other node is dead. */
  'nodes.start': { input: { nodeId: string; leaseMs: number } & NodeFacts; output: object };
  /** Extends the lease; `lost` when it had already run out. */
  'nodes.renew': {
    input: { nodeId: string; leaseMs: number };
    output: { lost: boolean; isDraining: boolean };
  };
  'nodes.stop': { input: { nodeId: string }; output: object };
  /** The living ones, oldest first. */
  'nodes.list': { input: object; output: readonly NodeRecord[] };
  /** Asks a node to take no more work; it hears of it by its next renewal. */
  'nodes.drain': { input: { nodeId: string }; output: { found: boolean } };
};
