// What every verb of the domain receives. Built once by `compose.ts`.
import type { BlobStore } from '../kernel/blob-store.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Outbound } from '../kernel/outbound.ts';
import type { Scope } from './accounts/operations.ts';
import type { Catalog } from './catalog/model.ts';
import type { EventHub } from './events/hub.ts';
import type { GatewayStore } from './operations.ts';

export interface DomainSettings {
  /** Origin + optional path of all stored and signed URLs, without trailing slash. */
  publicUrl: string;
  taskDeadlineMs: number;
  outputRetentionMs: number;
  /** Submitted tasks a key may cancel in an hour. */
  cancelsPerHourMax: number;
  /** `quality` sent when a model has no such field. */
  routeQuality: string;
  /** Below this no new task is taken; running ones finish. */
  diskFreeMinBytes: number;
}

export interface DomainContext {
  store: GatewayStore;
  blobs: BlobStore;
  clock: Clock;
  log: Logger;
  events: EventHub;
  catalog: Catalog;
  routes: RouteTable;
  /** Keyed hash of an API key, hex; the key material never leaves the closure. */
  hashKey: (token: string) => string;
  outbound: Outbound;
  /** Where images are kept. */
  freeDiskBytes: () => Promise<number>;
  settings: DomainSettings;
}

/** What may serve a model, in order; ids of configured providers. */
export interface RouteTable {
  providersFor(model: string, isLive: boolean): readonly RoutedProvider[];
}

export interface RoutedProvider {
  id: string;
  isBuiltIn: boolean;
}

/** Who calls: the authenticated key. */
export interface Actor {
  accountId: number;
  keyId: string;
  isLive: boolean;
  scopes: readonly Scope[];
}
