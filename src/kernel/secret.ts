// One secret, one derived key per use, so that no two uses can be played against each other.
import { createHmac, hkdfSync } from 'node:crypto';

export const SECRET_BYTES_MIN = 32;

export type SecretUse = 'api-keys' | 'check' | 'cursors' | 'url-signatures' | 'encryption';

export interface Secrets {
  /** Keyed SHA-256 of `text`, hex. */
  hash(use: SecretUse, text: string): string;
}

export function createSecrets(secret: Uint8Array): Secrets {
  const keys = new Map<SecretUse, Buffer>();
  const keyFor = (use: SecretUse): Buffer => {
    const known = keys.get(use);
    if (known) return known;
    const key = Buffer.from(hkdfSync('sha256', secret, '', `runapi-gateway/${use}`, 32));
    keys.set(use, key);
    return key;
  };
  return { hash: (use, text) => createHmac('sha256', keyFor(use)).update(text).digest('hex') };
}
