// Images by unguessable URL: no key, safe headers, ranges, ETag (DESIGN §9).
import type { FastifyReply } from 'fastify';
import { findOutput } from '../domain/files/index.ts';
import { AppError } from '../kernel/app-error.ts';
import { type Door, type Handler, header, param } from './door.ts';

const FILE = /^([A-Za-z0-9_-]{20,64})\.(png|jpg|webp)$/;
const PARTIAL_FILE = /^[0-9a-f]{40}\.(png|jpg|webp)$/;
const YEAR_SECONDS = 31_536_000;

export const outputHandler: Handler = async (door, request, reply) => {
  const token = FILE.exec(param(request, 'file'))?.[1];
  const found = token === undefined ? null : await findOutput(door.ctx, token);
  if (!found) throw new AppError('not_found', 'There is no image under this URL.');
  const { output, expired } = found;
  if (expired) throw gone();
  const etag = `"${output.sha256}"`;
  safeHeaders(reply);
  reply.header('etag', etag);
  const seconds = Math.max(0, Math.floor((output.expiresAt - door.ctx.clock.now()) / 1000));
  reply.header('cache-control', `public, max-age=${Math.min(seconds, YEAR_SECONDS)}, immutable`);
  if (header(request, 'if-none-match')?.includes(etag)) return reply.code(304).send();
  const isSameVersion = [null, etag].includes(header(request, 'if-range'));
  const range = isSameVersion ? header(request, 'range') : null;
  const isHead = request.method === 'HEAD';
  return sendBlob(door, reply, output.blobKey, output.contentType, output.sizeBytes, range, isHead);
};

export const partialHandler: Handler = async (door, request, reply) => {
  const file = param(request, 'file');
  const extension = PARTIAL_FILE.exec(file)?.[1];
  const key = `partials/${file}`;
  const blob = extension === undefined ? null : await door.ctx.blobs.read(key);
  if (!blob || extension === undefined) {
    throw new AppError('not_found', 'There is no preview under this URL any more.');
  }
  safeHeaders(reply);
  reply.header('cache-control', 'no-store');
  return reply.type(`image/${extension.replace('jpg', 'jpeg')}`).send(Buffer.from(blob));
};

function gone(): AppError {
  return new AppError('output_expired', 'This image was kept for its time and is deleted.');
}

/** Bytes that a user may have had a hand in must never act in a browser. */
function safeHeaders(reply: FastifyReply): void {
  reply.headers({
    'x-content-type-options': 'nosniff',
    'content-security-policy': "sandbox; default-src 'none'",
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'cross-origin',
    'access-control-allow-origin': '*',
    'content-disposition': 'inline',
  });
}

async function sendBlob(
  door: Door,
  reply: FastifyReply,
  key: string,
  contentType: string,
  sizeBytes: number,
  rangeText: string | null,
  isHead: boolean,
): Promise<FastifyReply> {
  reply.header('accept-ranges', 'bytes').type(contentType);
  const range = readRange(rangeText, sizeBytes);
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${sizeBytes}`);
    throw new AppError('range_not_satisfiable', `The image has ${sizeBytes} bytes.`);
  }
  if (range) {
    reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${sizeBytes}`);
  }
  reply.header('content-length', range ? range.end - range.start + 1 : sizeBytes);
  if (isHead) return reply.send();
  const blob = await door.ctx.blobs.open(key, range ?? undefined);
  if (!blob) throw gone();
  return reply.send(blob.stream);
}

/** One range of bytes (RFC 9110 §14); several, or another unit, are answered whole. */
export function readRange(
  text: string | null,
  sizeBytes: number,
): { start: number; end: number } | 'unsatisfiable' | null {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(text?.trim() ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (!match || (first === '' && last === '')) return null;
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first);
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (first !== '' && last !== '' && Number(last) < start) return null;
  return start >= sizeBytes || start > end ? 'unsatisfiable' : { start, end };
}
