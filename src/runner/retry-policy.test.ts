import { describe, expect, it } from 'vitest';
import type { Attempt } from '../domain/tasks/model.ts';
import { nextStep } from './retry-policy.ts';

const once = { uncertainRetry: 'once' } as const;
const never = { uncertainRetry: 'never' } as const;

function ended(provider: string, failureClass: string, number = 1): Attempt {
  return {
    number,
    provider,
    state: failureClass === 'uncertain' ? 'uncertain' : 'failed',
    claim: 1,
    handle: null,
    failureClass,
    detail: null,
    upstreamCost: null,
    startedAt: 0,
    finishedAt: 1,
  };
}

describe('the next step of a task', () => {
  it('begins with the first provider of the route', () => {
    expect(nextStep([], ['a', 'b'], once)).toEqual({ kind: 'try', provider: 'a', delayMs: 0 });
  });

  it('without a route fails as no_provider', () => {
    expect(nextStep([], [], once)).toMatchObject({ failure: { code: 'no_provider' } });
  });

  it('a refusal by moderation goes to no other provider and keeps the sentence', () => {
    const said = { message: 'Refused.', retryAfterMs: null };
    expect(nextStep([ended('a', 'moderation')], ['a', 'b'], once, said)).toEqual({
      kind: 'fail',
      failure: { code: 'content_policy', message: 'Refused.' },
    });
  });

  it.each(['operator', 'capability'])('%s moves on and does not come back', (failureClass) => {
    expect(nextStep([ended('a', failureClass)], ['a', 'b'], once)).toMatchObject({ provider: 'b' });
    const both = [ended('a', failureClass), ended('b', failureClass, 2)];
    expect(nextStep(both, ['a', 'b'], once)).toMatchObject({ failure: { code: 'provider_error' } });
  });

  it('an uncertain create is repeated once over all providers together, or never', () => {
    expect(nextStep([ended('a', 'uncertain')], ['a'], once)).toMatchObject({ provider: 'a' });
    const twice = [ended('a', 'uncertain'), ended('b', 'uncertain', 2)];
    expect(nextStep(twice, ['a', 'b', 'c'], once)).toMatchObject({ kind: 'fail' });
    expect(nextStep([ended('a', 'uncertain')], ['a', 'b'], never)).toMatchObject({ kind: 'fail' });
  });

  it('a broken answer counts against the same allowance and has its own code', () => {
    const mixed = [ended('a', 'uncertain'), ended('a', 'bad_response', 2)];
    expect(nextStep(mixed, ['a'], once)).toMatchObject({
      failure: { code: 'upstream_bad_response' },
    });
  });

  it('"try later" waits as asked, backs off, and gives a provider up after three tries', () => {
    const one = [ended('a', 'try_later')];
    const said = { message: null, retryAfterMs: 700 };
    expect(nextStep(one, ['a'], once, said)).toEqual({ kind: 'try', provider: 'a', delayMs: 700 });
    const two = [...one, ended('a', 'try_later', 2)];
    expect(nextStep(two, ['a'], once)).toEqual({ kind: 'try', provider: 'a', delayMs: 1000 });
    const three = [...two, ended('a', 'try_later', 3)];
    expect(nextStep(three, ['a', 'b'], once)).toEqual({ kind: 'try', provider: 'b', delayMs: 0 });
    expect(nextStep(three, ['a'], once)).toMatchObject({ kind: 'fail' });
  });
});
