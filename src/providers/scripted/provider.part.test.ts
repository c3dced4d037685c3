// The scripted provider against its upstream: what each script makes of a create, as the runner sees it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sleep } from '../../kernel/clock.ts';
import { inspectImage } from '../../kernel/image.ts';
import type { Provider, ProviderIo, ProviderJob, ProviderOutcome } from '../provider.ts';
import { createScriptedProvider } from './provider.ts';
import { createScriptedServer, type ScriptedServer } from './server.ts';

let server: ScriptedServer;
const providers: Provider[] = [];

beforeEach(async () => {
  server = await createScriptedServer();
});

afterEach(async () => {
  for (const provider of providers.splice(0)) await provider.stop?.();
  await server.stop();
});

function connect(form: 'immediate' | 'job', isRepeatable = false): Provider {
  const provider = createScriptedProvider({
    id: 'scripted',
    form,
    baseUrl: server.url,
    isRepeatable,
  });
  providers.push(provider);
  return provider;
}

function jobOf(script: string, extra: Partial<ProviderJob> = {}): ProviderJob {
  return {
    taskId: 'task',
    attempt: 1,
    service: 'gpt_image_2',
    action: 'text_to_image',
    model: 'gpt-image-2',
    prompt: `x [[script: ${script}]]`,
    size: { width: 48, height: 32 },
    aspectRatio: '3:2',
    background: 'auto',
    format: 'png',
    quality: 'medium',
    outputCount: 1,
    missing: [0],
    sources: [],
    mask: null,
    ...extra,
  };
}

function makeIo(signal = new AbortController().signal) {
  const seen: { images: [number, Uint8Array][]; progress: number[]; partials: number } = {
    images: [],
    progress: [],
    partials: 0,
  };
  const io: ProviderIo = {
    signal,
    deliver: async (index, { bytes }) => void seen.images.push([index, bytes]),
    onProgress: (fraction) => seen.progress.push(fraction),
    onPartial: () => {
      seen.partials += 1;
    },
    addWarning: () => {},
    sleep,
  };
  return { io, seen };
}

/** As the runner does: submit, then poll to the end. */
async function run(provider: Provider, job: ProviderJob, io: ProviderIo): Promise<ProviderOutcome> {
  let outcome = await provider.submit(job, io);
  const handle = outcome.kind === 'submitted' ? outcome.handle : null;
  while (outcome.kind === 'submitted' || outcome.kind === 'pending') {
    await sleep(outcome.pollAfterMs);
    outcome = (await provider.poll?.(handle, job, io)) ?? outcome;
  }
  return outcome;
}

describe.each(['immediate', 'job'] as const)('the %s form', (form) => {
  it('delivers images of the asked size, with progress and previews on the way', async () => {
    const { io, seen } = makeIo();
    const job = jobOf('delay=150 progress=2 partials=1', { missing: [0, 2], outputCount: 4 });
    expect(await run(connect(form), job, io)).toEqual({ kind: 'done', upstreamCost: 0 });
    expect(seen.images.map(([index]) => index)).toEqual([0, 2]);
    expect(await inspectImage(seen.images[0]![1])).toMatchObject({ width: 48, height: 32 });
    expect(seen.progress).toEqual([1 / 3, 2 / 3]);
    expect(seen.partials).toBe(1);
    expect(server.creates()).toEqual([{ taskId: 'task', attempt: 1, form, isRepeat: false }]);
    expect(server.answeredAt('task')).not.toBeNull();
  });

  it.each(['caller', 'moderation', 'operator', 'capability', 'try_later'])(
    'fails as %s',
    async (outcome) => {
      const { io } = makeIo();
      const answer = await run(connect(form), jobOf(`outcome=${outcome} retry_after_ms=70`), io);
      expect(answer).toMatchObject({ kind: 'failed', failure: { class: outcome } });
      expect(answer).toMatchObject({ failure: { retryAfterMs: 70 } });
    },
  );

  it.each([
    ['reset_early', 0],
    ['reset', 1],
  ])('%s: what may have been taken is uncertain', async (outcome, counted) => {
    const { io } = makeIo();
    const answer = await run(connect(form), jobOf(`outcome=${outcome}`), io);
    expect(answer).toMatchObject({ kind: 'failed', failure: { class: 'uncertain' } });
    expect(server.creates()).toHaveLength(counted);
  });

  it('a web page in place of an answer is a bad response', async () => {
    const { io } = makeIo();
    const answer = await run(connect(form), jobOf('outcome=web_page'), io);
    expect(answer).toMatchObject({ kind: 'failed', failure: { class: 'bad_response' } });
  });

  it('a refused connection took nothing', async () => {
    const provider = connect(form);
    await server.stop();
    const { io } = makeIo();
    const answer = await run(provider, jobOf('outcome=ok'), io);
    expect(answer).toMatchObject({ kind: 'failed', failure: { class: 'try_later' } });
  });

  it.each(['bad_response', 'truncated'])('%s delivers bytes that are no image', async (outcome) => {
    const { io, seen } = makeIo();
    await run(connect(form), jobOf(`outcome=${outcome}`), io);
    expect(await inspectImage(seen.images[0]![1])).toBeNull();
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const { io } = makeIo(stop.signal);
    const answer = connect(form).submit(jobOf('outcome=hang'), io);
    setTimeout(() => stop.abort(), 50);
    expect(await answer).toMatchObject({ kind: 'failed' });
  });

  it('outcomes go by attempt, the last one repeating', async () => {
    const provider = connect(form);
    const classes: unknown[] = [];
    for (const attempt of [1, 2, 3]) {
      const { io } = makeIo();
      const answer = await run(provider, jobOf('outcome=try_later,operator', { attempt }), io);
      classes.push(answer.kind === 'failed' ? answer.failure.class : null);
    }
    expect(classes).toEqual(['try_later', 'operator', 'operator']);
  });

  it('a repeatable create that is sent again is the same one', async () => {
    const provider = connect(form, true);
    const { io } = makeIo();
    await run(provider, jobOf('delay=1'), io);
    expect(await run(provider, jobOf('delay=1'), io)).toMatchObject({ kind: 'done' });
    expect(server.creates().map(({ isRepeat }) => isRepeat)).toEqual([false, true]);
  });
});

it.each(['reset', 'reset_midway'])('%s of a repeatable create is asked again', async (outcome) => {
  const { io, seen } = makeIo();
  const job = jobOf(`outcome=${outcome}`, { missing: [0, 1], outputCount: 2 });
  expect(await run(connect('immediate', true), job, io)).toMatchObject({ kind: 'done' });
  expect(new Set(seen.images.map(([index]) => index))).toEqual(new Set([0, 1]));
  expect(server.creates().map(({ isRepeat }) => isRepeat)).toEqual([false, true]);
});

describe('a job', () => {
  it('is resumed by its handle after the client has started anew', async () => {
    const { io } = makeIo();
    const submitted = await connect('job').submit(jobOf('delay=100'), io);
    expect(submitted).toMatchObject({ kind: 'submitted' });
    const handle = submitted.kind === 'submitted' ? submitted.handle : null;
    const second = connect('job');
    const after = makeIo();
    await expect
      .poll(async () => (await second.poll?.(handle, jobOf(''), after.io))?.kind)
      .toBe('done');
    expect(after.seen.images).toHaveLength(1);
    expect(server.creates()).toHaveLength(1);
  });

  it('that is lost is pending for ever; one that was forgotten is uncertain', async () => {
    const provider = connect('job');
    const { io } = makeIo();
    const lost = await provider.submit(jobOf('outcome=lost'), io);
    const lostHandle = lost.kind === 'submitted' ? lost.handle : null;
    expect(await provider.poll?.(lostHandle, jobOf(''), io)).toMatchObject({ kind: 'pending' });
    const forgotten = await run(provider, jobOf('outcome=forgotten', { taskId: 'other' }), io);
    expect(forgotten).toMatchObject({ failure: { class: 'uncertain' } });
  });

  it('that is cancelled is counted as such', async () => {
    const provider = connect('job');
    const { io } = makeIo();
    const submitted = await provider.submit(jobOf('outcome=lost'), io);
    const handle = submitted.kind === 'submitted' ? submitted.handle : null;
    expect(await provider.cancel?.(handle)).toEqual({ billed: false });
    expect(server.cancels()).toEqual(['task']);
  });
});

it('an answer that breaks off midway leaves what it delivered', async () => {
  const { io, seen } = makeIo();
  const job = jobOf('delay=200 outcome=reset_midway', { missing: [0, 1, 2, 3], outputCount: 4 });
  const answer = await run(connect('immediate'), job, io);
  expect(answer).toMatchObject({ kind: 'failed', failure: { class: 'uncertain' } });
  expect(seen.images.map(([index]) => index)).toEqual([0, 1]);
});
