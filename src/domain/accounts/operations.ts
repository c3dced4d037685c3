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
    };
    output: { accountId: number; keyId: string; created: boolean };
  };
  'accounts.findKey': { input: { hash: string }; output: KeyRecord | null };
  'accounts.countKeys': { input: object; output: number };
  /** Stores the check value of the secret once; returns the stored one. */
  'accounts.secretCheck': { input: { check: string }; output: { stored: string } };
};
