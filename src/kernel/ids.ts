// Identifiers: UUIDv7 for rows (sortable by time), `tsk_` + Crockford base32 for the /v1 spelling of a
// task id (contract §1.8), and random URL tokens.
import { randomBytes } from 'node:crypto';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';
const TSK_LENGTH = 26;

/** Of the last id: within one millisecond ids of this process keep the order in which they were made. */
let latest = { ms: 0, sequence: 0 };

/** A lower-case canonical UUIDv7 for the instant `nowMs`; 12 bits of it count within the millisecond. */
export function makeUuid(nowMs: number): string {
  const bytes = randomBytes(16);
  const isSame = nowMs === latest.ms && latest.sequence < 0xfff;
  latest = { ms: nowMs, sequence: isSame ? latest.sequence + 1 : bytes.readUInt16BE(6) & 0x7ff };
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | latest.sequence, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytesToUuid(bytes);
}

/** Below every id made at `ms` or later: what is older than a moment is found by the key itself. */
export function lowestUuid(ms: number): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(ms, 0, 6);
  return bytesToUuid(bytes);
}

/** An unguessable token for URLs: 160 random bits, base64url. */
export function makeToken(): string {
  return randomBytes(20).toString('base64url');
}

/** `tsk_` + the UUID's 128 bits in 26 lower-case Crockford base32 digits. */
export function uuidToTaskId(uuid: string): string {
  let bits = BigInt(`0x${uuid.replaceAll('-', '')}`);
  let text = '';
  for (let i = 0; i < TSK_LENGTH; i += 1) {
    text = CROCKFORD.charAt(Number(bits & 31n)) + text;
    bits >>= 5n;
  }
  return `tsk_${text}`;
}

/** Reads either spelling of a task id, in any case, to the canonical UUID; null when it is neither. */
export function parseTaskId(text: string): string | null {
  const lower = text.toLowerCase();
  if (UUID.test(lower)) return lower;
  if (!lower.startsWith('tsk_') || lower.length !== 4 + TSK_LENGTH) return null;
  let bits = 0n;
  for (const digit of lower.slice(4)) {
    const value = CROCKFORD.indexOf(digit);
    if (value < 0) return null;
    bits = (bits << 5n) | BigInt(value);
  }
  if (bits >> 128n) return null;
  return bytesToUuid(Buffer.from(bits.toString(16).padStart(32, '0'), 'hex'));
}

function bytesToUuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}
