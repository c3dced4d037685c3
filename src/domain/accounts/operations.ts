// The contracts of the account and key transactions. SQL: `storage/<engine>/accounts.ts`.

export interface KeyRecord {
  id: string;
  accountId: number;
  name: string;
  /** First characters, for display. */
  prefix: string;
  isLive: boolean;
  revokedAt: number | null;
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
      billing: 'prepaid' | 'track';
      keyId: string;
      keyName: string;
      hash: string;
      prefix: string;
      isLive: boolean;
      /** Make it only while there is no key at all; `created` says whether it was. */
      isOnlyFirst: boolean;
    };
    output: { accountId: number; keyId: string; created: boolean } | null;
  };
  'accounts.findKey': { input: { hash: string }; output: KeyRecord | null };
  /** Keeps the first candidate ever offered, and returns it: the secret of nodes that share a database. */
  'accounts.keepSecret': { input: { candidate: string }; output: { stored: string } };
  /** Stores the check value of the secret once; returns the stored one. */
  'accounts.secretCheck': { input: { check: string }; output: { stored: string } };
};
