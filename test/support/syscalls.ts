// What a traced process asked of the kernel that changes files, read from the log of `strace -f -y -xx`, which writes all text as bytes.
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

const TRACED = [
  ...['openat', 'write', 'pwrite64', 'writev', 'pwritev', 'pwritev2', 'ftruncate', 'fallocate'],
  ...['fsync', 'fdatasync', 'rename', 'renameat', 'renameat2', 'link', 'linkat'],
  ...['unlink', 'unlinkat', 'mkdir', 'mkdirat', 'rmdir', 'copy_file_range', 'sendfile'],
];
/** Longer than any write of one call. */
const BYTES_MAX = 4 * 2 ** 20;

/** `enteredAt` and `at` are lines of the log: when it was asked, and when it was over. */
export interface Syscall {
  name: string;
  args: string;
  /** Null: the process died in it, and nobody knows whether it happened. */
  result: number | null;
  enteredAt: number;
  at: number;
}

/** Arguments in front of a program; it stays the direct child, so that its process id is the program's own. */
export function traceInto(log: string): string[] {
  const trace = `trace=${TRACED.join(',')}`;
  return [
    ...['strace', '-D', '-f', '-y', '--seccomp-bpf', '-xx', '-s', String(BYTES_MAX)],
    ...['-e', trace, '-e', 'signal=kill', '-o', log],
  ];
}

/** Calls whose arguments name something under `folder`, in the order in which they ended; what failed is left out. */
export async function* readSyscalls(log: string, folder: string): AsyncGenerator<Syscall> {
  const open = new Map<string, { args: string; enteredAt: number }>();
  const hexFolder = [...Buffer.from(folder)].map((byte) => `\\x${byte.toString(16)}`).join('');
  const isOurs = (text: string) => text.includes(`<${hexFolder}`) || text.includes(`"${hexFolder}`);
  let at = 0;
  for await (const line of createInterface({ input: createReadStream(log, 'latin1') })) {
    at += 1;
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const resumed = rest.startsWith('<... ') ? open.get(pid) : undefined;
    const text = resumed ? resumed.args + rest.slice(rest.indexOf('resumed>') + 8) : rest;
    const enteredAt = resumed?.enteredAt ?? at;
    if (resumed) open.delete(pid);
    if (text.endsWith(' <unfinished ...>')) {
      open.set(pid, { args: text.slice(0, -' <unfinished ...>'.length), enteredAt });
      continue;
    }
    const close = text.lastIndexOf(') ');
    const end = /= (-?\d+|\?)/.exec(text.slice(close))?.[1];
    const result = end === '?' ? null : Number(end ?? -1);
    if (isOurs(text) && (result === null || result >= 0))
      yield toCall(text.slice(0, close), { result, enteredAt, at });
  }
  for (const { args: text, enteredAt } of open.values()) {
    if (isOurs(text)) yield toCall(text, { result: null, enteredAt, at });
  }
}

function toCall(text: string, rest: Omit<Syscall, 'name' | 'args'>): Syscall {
  const paren = text.indexOf('(');
  return { name: text.slice(0, paren), args: text.slice(paren + 1), ...rest };
}

/** The path behind the first descriptor of a call: `21<…>`. */
export function descriptorPath(args: string): string {
  return fromHex(/^\d+<((?:\\x[0-9a-f]{2})*)>/.exec(args)?.[1] ?? '').toString('utf8');
}

/** Paths given as text, those after a folder's descriptor resolved against it. */
export function namedPaths(args: string): string[] {
  const found = args.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:\\x[0-9a-f]{2})*)"/g);
  return [...found].map(([, base = '', hex = '']) =>
    resolve('/', fromHex(base).toString('utf8'), fromHex(hex).toString('utf8')),
  );
}

/** The bytes of all strings in the arguments, one after the other. */
export function writtenBytes(args: string): Buffer {
  if (args.includes('"...')) throw new Error('the trace has cut off a write');
  const strings = args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g);
  return Buffer.concat([...strings].map(([, hex = '']) => fromHex(hex)));
}

function fromHex(text: string): Buffer {
  return Buffer.from(text.replaceAll('\\x', ''), 'hex');
}
