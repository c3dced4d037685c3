import { expect, it } from 'vitest';
import { createEventHub } from '../domain/events/hub.ts';
import type { Provider, ProviderJob } from '../providers/provider.ts';
import { callProvider } from './call-provider.ts';
import type { TaskRun } from './run.ts';

/** Only what a call looks at. */
function makeRun(): TaskRun {
  const ctx = { events: createEventHub() };
  return {
    deps: { ctx },
    task: { id: 'task' },
    stop: new AbortController(),
  } as unknown as TaskRun;
}

it('a create that is not over is never sent again where it cannot be polled', async () => {
  let submits = 0;
  const provider: Provider = {
    id: 'x',
    isRepeatable: false,
    isBuiltIn: false,
    async submit() {
      submits += 1;
      return { kind: 'pending', pollAfterMs: 0 };
    },
  };
  const job = { attempt: 1 } as ProviderJob;
  const result = await callProvider(makeRun(), provider, job, null, () => {});
  expect(submits).toBe(1);
  expect(result).toMatchObject({ kind: 'failed', failure: { class: 'uncertain' } });
});

it('a provider that throws may have been billed', async () => {
  const provider: Provider = {
    id: 'x',
    isRepeatable: false,
    isBuiltIn: false,
    submit: () => Promise.reject(new Error('boom')),
  };
  const result = await callProvider(makeRun(), provider, {} as ProviderJob, null, () => {});
  expect(result).toMatchObject({ kind: 'failed', failure: { class: 'uncertain' } });
});
