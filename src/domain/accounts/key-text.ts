import { randomBytes } from 'node:crypto';

export const SANDBOX_PREFIX = 'runapi_test_';
export const SHOWN_PREFIX_LENGTH = 11;

/** A new key: its prefix + 200 random bits. */
export function makeKeyText(isLive = true): string {
  return `${isLive ? 'runapi_' : SANDBOX_PREFIX}${randomBytes(25).toString('base64url')}`;
}
