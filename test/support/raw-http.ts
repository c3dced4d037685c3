// HTTP as bytes: what no well-behaved client would send, and what comes back for it.
import { connect } from 'node:net';

export interface RawAnswer {
  status: number;
  /** Lower-case names. */
  headers: ReadonlyMap<string, string>;
  body: string;
}

/** Sends the bytes and reads until the server closes or falls silent. */
export function sendRaw(url: string, bytes: Buffer, silentMs = 1_000): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write(bytes));
    const end = () => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString('latin1'));
    };
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', end);
    socket.on('close', end);
    socket.setTimeout(silentMs, end);
  });
}

/** All final answers in the text, in order; informational ones are passed over. Throws on what is no HTTP. */
export function parseAnswers(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  let rest = text;
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n');
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(`${first} `)?.[1]);
    if (end < 0 || Number.isNaN(status)) throw new Error(`no HTTP: ${rest.slice(0, 200)}`);
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    );
    rest = rest.slice(end + 4);
    if (status < 200) continue;
    const length = headers.get('content-length');
    const body = length === undefined ? rest : rest.slice(0, Number(length));
    rest = rest.slice(body.length);
    answers.push({ status, headers, body });
  }
  return answers;
}
