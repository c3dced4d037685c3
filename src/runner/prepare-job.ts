// From a claimed task to what a provider is asked for: sources fetched once and kept, the size decided.
import { sizeFor } from '../domain/catalog/index.ts';
import { fetchSources, loadSource } from '../domain/files/index.ts';
import type { TaskFailure, TaskSource } from '../domain/tasks/model.ts';
import type { ProviderJob } from '../providers/provider.ts';
import { persist, type TaskRun } from './run.ts';

type BlobSource = TaskSource & { kind: 'blob' };

export type PreparedJob =
  | { ok: true; job: Omit<ProviderJob, 'attempt' | 'missing'> }
  | { ok: false; failure: TaskFailure }
  /** The run was stopped meanwhile. */
  | { ok: null };

export async function prepareJob(run: TaskRun): Promise<PreparedJob> {
  const { ctx } = run.deps;
  const found = await settleSources(run);
  if (found.ok !== true) return found;
  const [first] = found.sources;
  decideSize(run, first ?? null);
  const { task, interpretation } = run;
  const [width, height] = interpretation.size.split('x').map(Number);
  return {
    ok: true,
    job: {
      taskId: task.id,
      service: task.service,
      action: task.action,
      model: task.model,
      prompt: run.input.prompt,
      size: width && height ? { width, height } : null,
      aspectRatio: interpretation.aspect_ratio,
      background: interpretation.background,
      format: interpretation.output_format,
      quality: interpretation.quality,
      outputCount: task.outputCount,
      sources: await Promise.all(found.sources.map((source) => loadSource(ctx, source))),
      mask: found.mask ? await loadSource(ctx, found.mask) : null,
    },
  };
}

type SettledSources =
  | { ok: true; sources: readonly BlobSource[]; mask: BlobSource | null }
  | Exclude<PreparedJob, { ok: true }>;

/** Fetches what is still a URL and records the stored form, so that a later claim asks no one again. */
async function settleSources(run: TaskRun): Promise<SettledSources> {
  const { ctx } = run.deps;
  const { sources, mask } = run.input;
  const { signal } = run.stop;
  const images = await fetchSources(ctx, sources, 'source_image_urls', signal);
  const masks = await fetchSources(ctx, mask ? [mask] : [], 'mask_url', signal);
  if (signal.aborted) return { ok: null };
  for (const answer of [images, masks]) {
    if (answer.ok) continue;
    ctx.log.info({ taskId: run.task.id, reason: answer.reason }, 'a source could not be taken');
    return { ok: false, failure: { code: answer.code, message: answer.message } };
  }
  if (!images.ok || !masks.ok) return { ok: null };
  const settled = { sources: images.sources, mask: masks.sources[0] ?? null };
  if ([...sources, mask].some((source) => source?.kind === 'url')) {
    const written = await persist(run, () =>
      ctx.store.run('tasks.recordSources', { ...run.fence, ...settled }),
    );
    if (!written || written.lost) {
      run.stop.abort('taken');
      return { ok: null };
    }
  }
  run.input = { ...run.input, ...settled };
  return { ok: true, ...settled };
}

/** `auto` takes the ratio nearest the first source, which may be known only now. */
function decideSize(run: TaskRun, first: BlobSource | null): void {
  if (run.interpretation.size !== 'auto') return;
  const { task } = run;
  const resolution = task.params['output_resolution'];
  const size = sizeFor(
    run.deps.ctx.catalog,
    {
      service: task.service,
      model: task.model,
      outputResolution: typeof resolution === 'string' ? resolution : null,
      aspectRatio: 'auto',
    },
    first,
  );
  run.interpretation = {
    ...run.interpretation,
    size: `${size.width}x${size.height}`,
    aspect_ratio: size.aspectRatio,
  };
}
