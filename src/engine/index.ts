// The built-in image engine: a procedural renderer that needs no key, no GPU and no network. It knows some
// subjects, sets words in type, edits pictures by simple operations, and says what it did not draw.
import { availableParallelism } from 'node:os';
import { createPool, type Pool } from './pool.ts';
import { isSolid, LABELS, planScene, type SceneSpec } from './scenes/spec.ts';
import { BAND_ROWS, type Job, type JobResult, type SharedBitmap, type Size } from './worker.ts';

export interface EngineRequest {
  /** Any language. */
  prompt: string;
  /** Exact size in pixels. */
  width: number;
  height: number;
  background: 'transparent' | 'opaque';
  /** The same request and seed give the same picture. */
  seed: number;
  /** Bytes of PNG, JPEG or WebP; empty: draw from the prompt, else edit the first. */
  sources: readonly Uint8Array[];
  /** A PNG whose see-through pixels are to be changed. */
  mask?: Uint8Array;
  format: 'png' | 'webp' | 'jpeg';
}

/** What of the prompt was not drawn or not applied. */
export interface EngineNote {
  code: string;
  message: string;
}

export interface EngineResult {
  bytes: Uint8Array;
  contentType: string;
  width: number;
  height: number;
  notes: readonly EngineNote[];
}

export interface EngineRun {
  signal: AbortSignal;
  /** 0..1, rising. */
  onProgress(fraction: number): void;
  /** A small preview, once, where there is one. */
  onPartial?(image: { bytes: Uint8Array; contentType: string }): void;
}

export interface Engine {
  /** One picture at a time, in the order of the calls. Rejects with EngineError. */
  render(request: EngineRequest, run: EngineRun): Promise<EngineResult>;
  stop(): Promise<void>;
}

export class EngineError extends Error {
  readonly code: 'aborted' | 'unreadable_source' | 'engine_failed';

  constructor(code: EngineError['code'], message: string) {
    super(message);
    this.name = 'EngineError';
    this.code = code;
  }
}

/** Above this many pixels the tracer works smaller and the picture is enlarged: time grows with pixels. */
const TRACED_PIXELS_MAX = 2_400_000;
const PREVIEW_PIXELS = 40_000;
const PROGRESS_MS = 200;
/** Shares of the whole: the rest is encoding. */
const TRACING_SHARE = 0.92;

export function createEngine(options: { threads?: number } = {}): Engine {
  const pool = createPool(options.threads ?? availableParallelism());
  let last: Promise<unknown> = Promise.resolve();
  return {
    render(request, run) {
      const before = last;
      // The next in line starts when this one's threads are idle, also after an abort.
      const work = before.then(() => (run.signal.aborted ? null : draw(pool, request, run)));
      last = work.catch(() => {});
      return untilAborted(work, run.signal);
    },
    stop: () => pool.stop(),
  };
}

function untilAborted(
  work: Promise<EngineResult | null>,
  signal: AbortSignal,
): Promise<EngineResult> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(new EngineError('aborted', 'the render was stopped'));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work
      .then((result) => (result ? resolve(result) : onAbort()))
      .catch((error: unknown) => {
        if (error instanceof EngineError) return reject(error);
        const message = error instanceof Error ? error.message : String(error);
        return reject(new EngineError('engine_failed', message));
      })
      .finally(() => signal.removeEventListener('abort', onAbort));
  });
}

async function draw(pool: Pool, request: EngineRequest, run: EngineRun): Promise<EngineResult> {
  const { width, height, format, prompt } = request;
  const size = { width, height };
  const isTransparent = request.background === 'transparent' && format !== 'jpeg';
  const [source] = request.sources;
  run.onProgress(0);
  let result: JobResult;
  const notes: EngineNote[] = [];
  if (source) {
    const mask = request.mask ?? null;
    result = await pool.run(0, { kind: 'edit', prompt, size, format, isTransparent, source, mask });
  } else {
    const spec = planScene(prompt, isTransparent, request.seed);
    notes.push(...notesOf(spec));
    result = isSolid(spec)
      ? await drawSolid(pool, spec, size, format, run)
      : await pool.run(0, { kind: 'flat', spec, size, format });
  }
  if (result.kind === 'unreadable') {
    throw new EngineError('unreadable_source', 'the source is no readable image');
  }
  if (result.kind !== 'encoded') throw new EngineError('engine_failed', 'no picture came back');
  run.onProgress(1);
  const { bytes } = result;
  return { bytes, contentType: `image/${format}`, ...size, notes: [...notes, ...result.notes] };
}

function notesOf(spec: SceneSpec): EngineNote[] {
  const notes: EngineNote[] = [];
  if (spec.notDrawn.length > 0) {
    const message = `Not drawn: ${spec.notDrawn.join(', ')}.`;
    notes.push({ code: 'not_drawn', message });
  }
  if (spec.kind === 'abstract') {
    const message = 'The illustrator knows no subject of this prompt: it drew an abstract form.';
    notes.push({ code: 'abstract_form', message });
  }
  return notes;
}

async function drawSolid(
  pool: Pool,
  spec: SceneSpec,
  size: Size,
  format: EngineRequest['format'],
  run: EngineRun,
): Promise<JobResult> {
  const labelled = await pool.run(0, { kind: 'label', spec });
  const label = labelled.kind === 'label' ? labelled.label : null;
  const isLettered = label === null && LABELS[spec.kind] === undefined && spec.texts.length > 0;
  if (run.onPartial) {
    const small = await traceAt(pool, spec, label, scaled(size, PREVIEW_PIXELS), run, () => {});
    const preview: Job = {
      kind: 'finish',
      spec,
      picture: small,
      size: small,
      format: 'png',
      isLettered,
    };
    const encoded = await pool.run(0, preview);
    if (encoded.kind === 'encoded')
      run.onPartial({ bytes: encoded.bytes, contentType: 'image/png' });
  }
  const picture = await traceAt(
    pool,
    spec,
    label,
    scaled(size, TRACED_PIXELS_MAX),
    run,
    (fraction) => run.onProgress(fraction * TRACING_SHARE),
  );
  return pool.run(0, { kind: 'finish', spec, picture, size, format, isLettered });
}

/** The same ratio with at most `pixelsMax` pixels. */
function scaled({ width, height }: Size, pixelsMax: number): Size {
  const scale = Math.min(1, Math.sqrt(pixelsMax / (width * height)));
  return {
    width: Math.max(1, Math.round(width * scale)),
    height: Math.max(1, Math.round(height * scale)),
  };
}

async function traceAt(
  pool: Pool,
  spec: SceneSpec,
  label: SharedBitmap | null,
  size: Size,
  run: EngineRun,
  onProgress: (fraction: number) => void,
): Promise<SharedBitmap> {
  const picture = { ...size, data: new SharedArrayBuffer(size.width * size.height * 4) };
  const counters = new SharedArrayBuffer(12);
  const count = new Int32Array(counters);
  const bands = Math.ceil(size.height / BAND_ROWS);
  const timer = setInterval(() => onProgress(Atomics.load(count, 2) / bands), PROGRESS_MS);
  const onAbort = () => Atomics.store(count, 1, 1);
  run.signal.addEventListener('abort', onAbort, { once: true });
  if (run.signal.aborted) onAbort();
  try {
    const job: Job = { kind: 'trace', spec, label, picture, counters };
    await Promise.all(Array.from({ length: pool.size }, (_, index) => pool.run(index, job)));
  } finally {
    clearInterval(timer);
    run.signal.removeEventListener('abort', onAbort);
  }
  if (run.signal.aborted) throw new EngineError('aborted', 'the render was stopped');
  return picture;
}
