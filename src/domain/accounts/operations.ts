// The contracts of the account and key transactions. SQL: `storage/<engine>/accounts.ts`.
import type { Balance } from '../ledger/operations.ts';

export const SCOPES = ['tasks', 'chat', 'files', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];
export type Billing = 'prepaid' | 'track';

/** What is absent is not limited. Spends are micro-cents; days and months are UTC. */
export interface KeyLimits {
  requestsPerMinute?: number;
  concurrentTasks?: number;
  spendPerDay?: number;
  spendPerMonth?: number;
  spendTotal?: number;
}

export interface KeyRecord {
  id: string;
  accountId: number;
  name: string;
  /** Whom it was given to. */
  owner: string | null;
  /** First characters, for display. */
  prefix: string;
  isLive: boolean;
  scopes: readonly Scope[];
  limits: KeyLimits;
  createdAt: number;
  expiresAt: number | null;
  /** By the database's clock. */
  isExpired: boolean;
  /** To the minute. */
  lastUsedAt: number | null;
  revokedAt: number | null;
}

export interface AccountRecord {
  id: number;
  name: string;
  email: string;
  billing: Billing;
  /** Unfinished tasks at once, over all keys. */
  concurrentMax: number | null;
  balance: Balance;
  createdAt: number;
}

/** Who changes something, for the audit log: `cli`, or a key. */
interface ByActor {
  actor: string;
}

export type AccountOperations = {
  /**
   * Makes sure the account and this key exist (declarative, each start). A revoked key stays revoked.
   * `hash` is hex of the keyed hash.
   */
  'accounts.ensureKey': {
    input: {
      accountName: string;
      email: string;
      billing: Billing;
      keyId: string;
      keyName: string;
      hash: string;
      prefix: string;
      isLive: boolean;
      scopes: readonly Scope[];
      /** Micro-cents, given to the account once, however often this is asked. */
      grant: number;
      /** Make it only while there is no key at all; `created` says whether it was. */
      isOnlyFirst: boolean;
    };
    output: { accountId: number; keyId: string; created: boolean } | null;
  };
  'accounts.findKey': { input: { hash: string }; output: KeyRecord | null };
  /** Null: the e-mail address has an account already. */
  'accounts.create': {
    input: {
      name: string;
      email: string;
      billing: Billing;
      concurrentMax: number | null;
    } & ByActor;
    output: { accountId: number } | null;
  };
  /** All of them, or the one asked for. */
  'accounts.list': { input: { accountId: number | null }; output: readonly AccountRecord[] };
  /** What is absent stays. */
  'accounts.update': {
    input: { accountId: number; billing?: Billing; concurrentMax?: number | null } & ByActor;
    output: { found: boolean };
  };
  /** `found`: the account is there. */
  'keys.create': {
    input: {
      keyId: string;
      accountId: number;
      name: string;
      owner: string | null;
      hash: string;
      prefix: string;
      isLive: boolean;
      scopes: readonly Scope[];
      limits: KeyLimits;
      expiresInMs: number | null;
    } & ByActor;
    output: { found: boolean };
  };
  /** Oldest first. */
  'keys.list': { input: { accountId: number | null }; output: readonly KeyRecord[] };
  /** `limits` replaces all of them; an expiry only comes nearer; revoking is for good. */
  'keys.update': {
    input: {
      keyId: string;
      isRevoked: boolean;
      expiresInMs: number | null;
      limits: KeyLimits | null;
    } & ByActor;
    output: { found: boolean };
  };
  'keys.touch': { input: { keyId: string }; output: object };
  /** Keeps the first candidate ever offered, and returns it: the secret of nodes that share a database. */
  'accounts.keepSecret': { input: { candidate: string }; output: { stored: string } };
  /** Stores the check value of the secret once; returns the stored one. */
  'accounts.secretCheck': { input: { check: string }; output: { stored: string } };
};
