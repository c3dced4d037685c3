// What every route of the HTTP door is given.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RouteId } from '../contract/operations.ts';
import type { Actor, DomainContext } from '../domain/context.ts';
import type { Logger } from '../kernel/logger.ts';

export interface HttpOptions {
  ctx: DomainContext;
  version: string;
  /** What answers each model; null: nothing. */
  describeModels(): readonly { model: string; provider: string | null }[];
  /** CIDRs whose `X-Forwarded-*` count. */
  trustProxy: readonly string[];
  isReady(): Promise<boolean>;
  /** A node that only runs tasks answers only what asks for its health. */
  isHealthOnly: boolean;
  log: Logger;
  bodyBytesMax?: number;
}

export interface Door extends Pick<HttpOptions, 'ctx' | 'version' | 'describeModels' | 'isReady'> {
  /** Aborted when the gateway drains: long-polls and event streams end. */
  draining: AbortSignal;
  actorOf(request: FastifyRequest): Actor;
}

export type Handler = (door: Door, request: FastifyRequest, reply: FastifyReply) => unknown;

export type Handlers = Readonly<Record<RouteId, Handler>>;

/** Path parameters and query as Fastify gives them: text. */
export function param(request: FastifyRequest, name: string): string {
  return (request.params as Record<string, string>)[name] ?? '';
}

export function header(request: FastifyRequest, name: string): string | null {
  const value = request.headers[name];
  const first = Array.isArray(value) ? value[0] : value;
  return first ?? null;
}
