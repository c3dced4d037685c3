// The port to the database. A transaction is a named operation with plain-data input and output; the
// contracts of the operations live in `domain/<module>/operations.ts`, their SQL in `storage/<engine>/`.

/** Maps operation names to their input and output. Both must survive a structured clone. */
export type OperationMap = { readonly [name: string]: { input: unknown; output: unknown } };

export interface Store<Ops extends OperationMap> {
  /**
   * Runs one operation in a transaction of its own meaning (engines may group several into one commit).
   * Resolves only when the outcome is durable. Rejects with AppError `storage_unavailable` when the
   * engine dropped it: nothing of it happened.
   */
  run<Name extends keyof Ops & string>(
    name: Name,
    input: Ops[Name]['input'],
  ): Promise<Ops[Name]['output']>;
  stop(): Promise<void>;
}
