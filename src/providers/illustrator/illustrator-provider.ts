// The door to the built-in engine. It never poses as a model: each task it serves says so.
import { createHash } from 'node:crypto';
import { type Engine, EngineError } from '../../engine/index.ts';
import type { Provider, ProviderIo, ProviderJob, ProviderOutcome } from '../provider.ts';

const FALLBACK_SIZE = { width: 1024, height: 1024 };

export function createIllustratorProvider(engine: Engine): Provider {
  return {
    id: 'illustrator',
    isRepeatable: true,
    isBuiltIn: true,
    submit: (job, io) => draw(engine, job, io),
    stop: () => engine.stop(),
  };
}

async function draw(engine: Engine, job: ProviderJob, io: ProviderIo): Promise<ProviderOutcome> {
  const total = job.missing.length;
  try {
    for (const [done, index] of job.missing.entries()) {
      const result = await engine.render(
        {
          prompt: job.prompt,
          ...(job.size ?? FALLBACK_SIZE),
          background: job.background === 'transparent' ? 'transparent' : 'opaque',
          seed: seedOf(job.taskId, index),
          sources: job.sources.map(({ bytes }) => bytes),
          ...(job.mask ? { mask: job.mask.bytes } : {}),
          format: job.format,
        },
        {
          signal: io.signal,
          onProgress: (fraction) => io.onProgress((done + fraction) / total),
          onPartial: (image) => io.onPartial(index, image),
        },
      );
      for (const note of result.notes) io.addWarning(note);
      await io.deliver(index, { bytes: result.bytes });
    }
    return { kind: 'done', upstreamCost: 0 };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { kind: 'failed', failure: toFailure(error) };
  }
}

function toFailure(error: EngineError) {
  if (error.code === 'unreadable_source') {
    return { class: 'caller', message: 'A source image could not be read.' } as const;
  }
  return { class: 'try_later', message: '', detail: error.message } as const;
}

/** Fixed by task and output, so that a repeated attempt draws the same picture. */
function seedOf(taskId: string, index: number): number {
  return createHash('sha256').update(`${taskId}/${index}`).digest().readUInt32BE(0);
}
