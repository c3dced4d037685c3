// What to do after an attempt ended without a picture: which provider next, after how long, or give up.
// Pure. The source of the rules: a paid create is never repeated unseen (DESIGN §5.3).
import type { Attempt, TaskFailure } from '../domain/tasks/model.ts';

export interface RetrySettings {
  /** How often, over all providers, a create may be repeated that may have been accepted already. */
  uncertainRetry: 'once' | 'never';
}

export type NextStep =
  | { kind: 'try'; provider: string; delayMs: number }
  | { kind: 'fail'; failure: TaskFailure };

const TRY_LATER_MAX = 3;
const BACKOFF_MS = 500;
const BACKOFF_MS_MAX = 30_000;

const SENTENCES = {
  content_policy: 'The request was refused by the content policy. Nothing was charged.',
  no_provider: 'Nothing serves this model here at present. Nothing was charged.',
  provider_error: 'The image provider could not make this image. Nothing was charged.',
  upstream_bad_response:
    'The image provider answered with something that is no usable image. Nothing was charged.',
} as const;

/**
 * `attempts` are all closed; `route` is the ordered list of providers. `said` is what the last provider
 * said for the caller's eyes, `retryAfterMs` what it asked for.
 */
export function nextStep(
  attempts: readonly Attempt[],
  route: readonly string[],
  settings: RetrySettings,
  said: { message: string | null; retryAfterMs: number | null } = {
    message: null,
    retryAfterMs: null,
  },
): NextStep {
  const last = attempts.at(-1);
  if (!last) {
    const [first] = route;
    return first ? { kind: 'try', provider: first, delayMs: 0 } : fail('no_provider');
  }
  if (last.failureClass === 'moderation') return fail('content_policy', said.message);
  if (last.failureClass === 'caller') return fail('provider_error', said.message);
  const repeats = attempts.filter(isPossiblyBilled).length;
  if (isPossiblyBilled(last) && repeats > (settings.uncertainRetry === 'once' ? 1 : 0)) {
    return failAs(last);
  }
  const usable = route.filter((provider) => isUsable(provider, attempts));
  const provider = usable.find((id) => id !== last.provider) ?? usable[0];
  if (isTryLater(last) && usable.includes(last.provider)) {
    return { kind: 'try', provider: last.provider, delayMs: backoff(attempts, said.retryAfterMs) };
  }
  return provider ? { kind: 'try', provider, delayMs: 0 } : failAs(last);
}

/** The upstream may have made (and billed) a picture that did not reach us. */
function isPossiblyBilled(attempt: Attempt): boolean {
  return attempt.state === 'uncertain' || attempt.failureClass === 'bad_response';
}

function isTryLater(attempt: Attempt): boolean {
  return attempt.failureClass === 'try_later';
}

function isUsable(provider: string, attempts: readonly Attempt[]): boolean {
  const own = attempts.filter((attempt) => attempt.provider === provider);
  const isOut = own.some(
    ({ failureClass }) => failureClass === 'operator' || failureClass === 'capability',
  );
  return !isOut && own.filter(isTryLater).length < TRY_LATER_MAX;
}

function backoff(attempts: readonly Attempt[], retryAfterMs: number | null): number {
  const tries = attempts.filter(isTryLater).length;
  return Math.min(BACKOFF_MS_MAX, retryAfterMs ?? BACKOFF_MS * 2 ** (tries - 1));
}

function failAs(last: Attempt): NextStep {
  return fail(last.failureClass === 'bad_response' ? 'upstream_bad_response' : 'provider_error');
}

function fail(code: keyof typeof SENTENCES, message: string | null = null): NextStep {
  return { kind: 'fail', failure: { code, message: message ?? SENTENCES[code] } };
}
