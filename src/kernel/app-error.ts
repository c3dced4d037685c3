// The one error class that may cross module borders. Doors translate its code; nothing else does.

/** A fault with a code from `contract/errors.ts`. `message` may reach a client; `detail` and `cause` only logs. */
export class AppError extends Error {
  readonly code: string;
  /** All field errors at once, keyed by field name, in the wording of the contract. */
  readonly fields: Readonly<Record<string, readonly string[]>> | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly taskId: string | undefined;
  /** Which limit refused: the balance, or one of the key or account. */
  readonly limitSource: string | undefined;
  readonly detail: string | undefined;

  constructor(
    code: string,
    message: string,
    options: {
      fields?: Readonly<Record<string, readonly string[]>>;
      retryAfterSeconds?: number;
      taskId?: string;
      limitSource?: string;
      detail?: string;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.fields = options.fields;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.taskId = options.taskId;
    this.limitSource = options.limitSource;
    this.detail = options.detail;
  }
}

export function isAppError(error: unknown): error is AppError {
  return error instanceof AppError;
}

/** Turns anything thrown into an Error, so that a catch can rely on `message` and `cause`. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
