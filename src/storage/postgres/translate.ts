// Between the plain data of an operation and the JSON of its SQL function. JSON columns travel as text, so that they
// come back exactly as they were written.
import type { Operations } from '../../domain/operations.ts';
import type { TaskSource } from '../../domain/tasks/model.ts';
import {
  type Row,
  toAccount,
  toAttempt,
  toBalance,
  toEvent,
  toFinding,
  toInput,
  toKey,
  toLedgerLine,
  toNode,
  toOutput,
  toTask,
} from '../rows/to-domain.ts';

export type Name = keyof Operations;
type Input<N extends Name> = Operations[N]['input'];
type Output<N extends Name> = Operations[N]['output'];

const ENCODERS: { readonly [N in Name]?: (input: Input<N>) => object } = {
  'tasks.accept': ({ idempotency, input, params, interpretation, warnings, quote, ...rest }) => ({
    ...rest,
    ...idempotency,
    params: JSON.stringify(params),
    interpretation: JSON.stringify(interpretation),
    warnings: JSON.stringify(warnings),
    quote: JSON.stringify(quote),
    prompt: input.prompt,
    ...encodeSources(input.sources, input.mask),
  }),
  'accounts.ensureKey': ({ scopes, ...rest }) => ({ ...rest, scopes: JSON.stringify(scopes) }),
  'keys.create': ({ scopes, limits, ...rest }) => ({
    ...rest,
    scopes: JSON.stringify(scopes),
    limits: JSON.stringify(limits),
  }),
  'keys.update': ({ limits, ...rest }) => ({ ...rest, limits: limits && JSON.stringify(limits) }),
  'tasks.recordHandle': (input) => ({ ...input, handle: JSON.stringify(input.handle) }),
  'tasks.recordSources': ({ sources, mask, ...rest }) => ({
    ...rest,
    ...encodeSources(sources, mask),
  }),
  'tasks.recordOutput': ({ output, ...rest }) => ({
    ...rest,
    output: { ...output, processed: JSON.stringify(output.processed) },
  }),
  'tasks.complete': (input) => ({
    ...input,
    interpretation: JSON.stringify(input.interpretation),
    warnings: JSON.stringify(input.warnings),
  }),
  'tasks.fail': (input) => ({ ...input, warnings: JSON.stringify(input.warnings) }),
};

function encodeSources(sources: readonly TaskSource[], mask: TaskSource | null) {
  const all = mask ? [...sources, mask] : sources;
  return {
    sources: JSON.stringify(sources),
    mask: mask && JSON.stringify(mask),
    blobKeys: all.flatMap((source) => (source.kind === 'blob' ? [source.blobKey] : [])),
  };
}

type TaskRow = Row & { outputs: readonly Row[] };
const task = (row: TaskRow) => toTask(row, row.outputs);
const withTask = <Answer extends { task: TaskRow }>(answer: Answer) => ({
  ...answer,
  task: task(answer.task),
});
const fencedTask = (answer: { lost: true } | { lost: false; task: TaskRow }) =>
  answer.lost ? answer : withTask(answer);

interface ClaimedRow {
  task: TaskRow;
  input: Row;
  attempts: readonly Row[];
  remainingMs: number;
}

/** What is not listed comes as it is. The argument is what the SQL function of that name returns. */
const DECODERS: { readonly [N in Name]?: (answer: never, input: Input<N>) => Output<N> } = {
  'tasks.accept': ((answer: { kind: 'refused' } | { kind: 'accepted'; task: TaskRow }) =>
    answer.kind === 'refused' ? answer : withTask(answer)) as (
    answer: never,
  ) => Output<'tasks.accept'>,
  'tasks.findReplay': withTask as (answer: never) => Output<'tasks.findReplay'>,
  'tasks.get': (row: TaskRow) => task(row),
  'tasks.list': ({ tasks }: { tasks: readonly TaskRow[] }, { limit }) => ({
    tasks: tasks.slice(0, limit).map(task),
    hasMore: tasks.length > limit,
  }),
  'tasks.attempts': (rows: readonly Row[]) => rows.map(toAttempt),
  'tasks.events': (rows: readonly Row[]) => rows.map(toEvent),
  'tasks.claim': (rows: readonly ClaimedRow[]) =>
    rows.map((row) => ({
      task: task(row.task),
      claim: Number(row.task['claim']),
      input: toInput(row.input),
      attempts: row.attempts.map(toAttempt),
      remainingMs: row.remainingMs,
    })),
  'tasks.complete': fencedTask as (answer: never) => Output<'tasks.complete'>,
  'tasks.fail': fencedTask as (answer: never) => Output<'tasks.fail'>,
  'tasks.cancel': withTask as (answer: never) => Output<'tasks.cancel'>,
  'tasks.expireOverdue': (rows: readonly TaskRow[]) => rows.map(task),
  'tasks.failLost': (rows: readonly TaskRow[]) => rows.map(task),
  'tasks.failUnfinished': (rows: readonly TaskRow[]) => rows.map(task),
  'outputs.find': ({ output, expired }: { output: Row; expired: boolean }) => ({
    output: toOutput(output),
    expired,
  }),
  'accounts.findKey': (row: Row) => toKey(row),
  'accounts.list': (rows: readonly Row[]) => rows.map(toAccount),
  'keys.list': (rows: readonly Row[]) => rows.map(toKey),
  'ledger.balance': (row: Row) => ({ ...toBalance(row), usedToday: Number(row['used_today']) }),
  'ledger.statement': (rows: readonly Row[]) => rows.map(toLedgerLine),
  'ledger.audit': (rows: readonly Row[]) => rows.map(toFinding),
  'nodes.list': (rows: readonly Row[]) => rows.map(toNode),
};

export function encode(name: Name, input: unknown): unknown {
  const encoder = ENCODERS[name] as ((input: unknown) => object) | undefined;
  return encoder ? encoder(input) : input;
}

export function decode(name: Name, answer: unknown, input: unknown): unknown {
  if (answer === null) return null;
  const decoder = DECODERS[name] as ((answer: unknown, input: unknown) => unknown) | undefined;
  return decoder ? decoder(answer, input) : answer;
}

/**
 * JSON that PostgreSQL takes: its text cannot hold U+0000, nor half a surrogate pair. Both become U+FFFD; neither means
 * anything in a prompt.
 */
export function toSafeJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (!text.includes('\\u')) return text;
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'string' ? part.replaceAll('\0', '\uFFFD').toWellFormed() : part,
  );
}
