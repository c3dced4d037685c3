import { AppError } from '../../kernel/app-error.ts';
import { makeUuid } from '../../kernel/ids.ts';
import type { JsonObject } from '../../kernel/json.ts';
import {
  centsToMicroCents,
  formatCents,
  type MicroCents,
  toMicroCents,
} from '../../kernel/money.ts';
import {
  type CreateRequest,
  readBackground,
  readCreateRequest,
  requestFingerprint,
  sizeFor,
} from '../catalog/index.ts';
import type { Actor, DomainContext, RoutedProvider } from '../context.ts';
import { SourceError, stageSources } from '../files/index.ts';
import { refusalError } from '../ledger/index.ts';
import { requireCapacity } from '../limits/index.ts';
import { quoteFor } from '../pricing/index.ts';
import type { Interpretation, Task, TaskSource, Warning } from './model.ts';
import type { AcceptInput } from './operations.ts';

export interface CreateTaskInput {
  flavour: 'v1' | 'api';
  /** Null on /v1, where the model selects it. */
  service: string | null;
  action: string;
  /** The route's path; part of the idempotency fingerprint. */
  path: string;
  body: JsonObject;
  idempotencyKey: string | null;
  clientRequestId: string | null;
  /** A dearer request is refused; in US cents. */
  maxCostCents: number | null;
}

export interface CreatedTask {
  task: Task;
  /** The idempotency key was used before with the same input: this is the original task. */
  replayed: boolean;
}

/**
 * Accepts a request as a durable task, or throws what is wrong with it; nothing is stored then.
 * A replay is recognised first, whatever has changed since (DESIGN §5.1).
 */
export async function createTask(
  ctx: DomainContext,
  actor: Actor,
  input: CreateTaskInput,
): Promise<CreatedTask> {
  const idempotency =
    input.idempotencyKey === null
      ? null
      : {
          key: input.idempotencyKey,
          fingerprint: requestFingerprint(input.path, input.body),
        };
  if (idempotency) {
    const { accountId, isLive } = actor;
    const key = idempotency.key;
    const earlier = await ctx.store.run('tasks.findReplay', { accountId, isLive, key });
    if (earlier) return replay(earlier, idempotency.fingerprint);
  }
  const { request, route } = readAndRoute(ctx, actor, input);
  const lane = route.every((provider) => provider.isBuiltIn) ? 'built_in' : 'upstream';
  await requireCapacity(ctx, lane);
  const sources = await stage(ctx, request.sourceUrls, (index) => `source_image_urls[${index}]`);
  const mask = await stage(
    ctx,
    request.maskUrl === null ? [] : [request.maskUrl],
    () => 'mask_url',
  );
  const accepted = await ctx.store.run('tasks.accept', {
    ...toAcceptInput(ctx, actor, request, route, sources, mask[0] ?? null),
    lane,
    clientRequestId: input.clientRequestId,
    idempotency,
  });
  if (accepted.kind === 'refused') throw refusalError(accepted.refusal);
  if (accepted.kind === 'replayed') return replay(accepted, idempotency?.fingerprint ?? '');
  ctx.events.nudge();
  return { task: accepted.task, replayed: false };
}

function readAndRoute(ctx: DomainContext, actor: Actor, input: CreateTaskInput) {
  const request = readRequest(ctx, input);
  const route = requireRoute(ctx, actor, request.model);
  const quote = quoteFor(ctx.catalog, request);
  requireMaxCost(quote.amount, input.maxCostCents);
  const hold = actor.isLive ? quote.amount : toMicroCents(0);
  return { request, route, quote, hold };
}

/** All that is known of a request before anything is stored for it. */
export function understand(
  ctx: DomainContext,
  actor: Actor,
  input: CreateTaskInput,
  sources: readonly TaskSource[],
) {
  const read = readAndRoute(ctx, actor, input);
  return { ...read, interpretation: interpret(ctx, read.request, sources) };
}

function replay(earlier: { fingerprint: string; task: Task }, fingerprint: string): CreatedTask {
  if (earlier.fingerprint === fingerprint) return { task: earlier.task, replayed: true };
  throw new AppError(
    'request_conflict',
    'This Idempotency-Key was already used for another request. Send a new key with a new request.',
    { taskId: earlier.task.id },
  );
}

function readRequest(ctx: DomainContext, input: CreateTaskInput): CreateRequest {
  const read = readCreateRequest(ctx.catalog, {
    flavour: input.flavour,
    service: input.service,
    action: input.action,
    body: input.body,
    isPublicUrl: (url) => isOwnUrl(url, ctx.settings.publicUrl) || ctx.outbound.isPublicUrl(url),
  });
  if (read.ok) return read.request;
  if ('notFound' in read) {
    throw new AppError('route_not_found', `There is no ${input.service}/${input.action} here.`);
  }
  throw invalid(read.fields);
}

function isOwnUrl(url: string, publicUrl: string): boolean {
  return URL.canParse(url) && new URL(url).origin === new URL(publicUrl).origin;
}

function requireMaxCost(price: MicroCents, maxCostCents: number | null): void {
  if (maxCostCents === null || price <= centsToMicroCents(maxCostCents)) return;
  throw new AppError(
    'max_cost_exceeded',
    `This request costs ${formatCents(price)}, and X-RunAPI-Max-Cost-Cents allows ${maxCostCents}. Raise it or ask for less; nothing was charged.`,
  );
}

function invalid(fields: Readonly<Record<string, readonly string[]>>): AppError {
  return new AppError('invalid_request', Object.values(fields).flat().join('; '), { fields });
}

function requireRoute(ctx: DomainContext, actor: Actor, model: string): readonly RoutedProvider[] {
  const route = ctx.routes.providersFor(model, actor.isLive);
  if (route.length > 0) return route;
  throw new AppError(
    'no_provider',
    `Nothing serves ${model} here: no provider is configured for it and the built-in engine is switched off. The operator can set engine.enabled: true or add a provider to routes in runapi-gateway.yaml.`,
  );
}

async function stage(
  ctx: DomainContext,
  urls: readonly string[],
  nameOf: (index: number) => string,
): Promise<readonly TaskSource[]> {
  const staged: TaskSource[] = [];
  const sentences: string[] = [];
  for (const [index, url] of urls.entries()) {
    try {
      staged.push(...(await stageSources(ctx, [url])));
    } catch (thrown) {
      if (!(thrown instanceof SourceError)) throw thrown;
      sentences.push(`${nameOf(index)} ${thrown.message}`);
    }
  }
  const field = nameOf(0).replace('[0]', '');
  if (sentences.length > 0) throw invalid({ [field]: sentences });
  return staged;
}

function toAcceptInput(
  ctx: DomainContext,
  actor: Actor,
  request: CreateRequest,
  route: readonly RoutedProvider[],
  sources: readonly TaskSource[],
  mask: TaskSource | null,
): Omit<AcceptInput, 'clientRequestId' | 'idempotency' | 'lane'> {
  const quote = quoteFor(ctx.catalog, request);
  return {
    id: makeUuid(ctx.clock.now()),
    accountId: actor.accountId,
    keyId: actor.keyId,
    isLive: actor.isLive,
    service: request.service,
    action: request.action,
    model: request.model,
    modelAsSent: request.modelAsSent,
    params: request.params,
    outputCount: request.outputCount,
    interpretation: interpret(ctx, request, sources),
    warnings: [...request.warnings, ...builtInWarning(route)],
    quote,
    hold: actor.isLive ? quote.amount : toMicroCents(0),
    callbackUrl: request.callbackUrl,
    deadlineMs: ctx.settings.taskDeadlineMs,
    input: { prompt: request.prompt, sources, mask },
  };
}

/** What is understood at accept. `size` is `auto` until the source that decides it has been fetched. */
function interpret(
  ctx: DomainContext,
  request: CreateRequest,
  sources: readonly TaskSource[],
): Interpretation {
  const first = sources[0] ?? null;
  const isOpen = request.aspectRatio === 'auto' && first?.kind === 'url';
  const size = sizeFor(ctx.catalog, request, first?.kind === 'blob' ? first : null);
  return {
    model: request.model,
    size: isOpen ? 'auto' : `${size.width}x${size.height}`,
    aspect_ratio: isOpen ? 'auto' : size.aspectRatio,
    background: readBackground(request.prompt) === 'transparent' ? 'transparent' : 'auto',
    output_format: 'png',
    quality: request.quality ?? ctx.settings.routeQuality,
  };
}

export function builtInWarning(route: readonly RoutedProvider[]): Warning[] {
  if (!route.every((provider) => provider.isBuiltIn)) return [];
  return [
    {
      code: 'built_in_engine',
      message:
        'Drawn by the built-in illustrator, a procedural renderer: not GPT Image. Configure an image provider for real model output.',
    },
  ];
}
