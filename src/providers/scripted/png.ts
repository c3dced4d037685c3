// A one-colour PNG of any size, made once per size: ten thousand tasks must not cost a renderer's time. One
// bit a pixel and a palette keep even a 4k image at some hundred bytes.
import { crc32, deflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
const BIT_DEPTH = 1;
const COLOUR_BY_PALETTE = 3;
const cache = new Map<string, Buffer>();

export function solidPng(width: number, height: number): Buffer {
  const name = `${width}x${height}`;
  const known = cache.get(name);
  if (known) return known;
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([BIT_DEPTH, COLOUR_BY_PALETTE, 0, 0, 0], 8);
  // Each row: one filter byte, then its pixels; all of them are the palette's first colour.
  const rows = Buffer.alloc((1 + Math.ceil(width / 8)) * height);
  const png = Buffer.concat([
    SIGNATURE,
    chunk('IHDR', head),
    chunk('PLTE', Buffer.from([width & 0xff, height & 0xff, 0x80, 0, 0, 0])),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  cache.set(name, png);
  return png;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(8 + data.length + 4);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), framed.length - 4);
  return framed;
}
