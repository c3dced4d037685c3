// A disk that forgets: a folder's files as a traced process wrote them, and what of them is left after a power cut.
//
// The rules are harsher than a journalling file system's. Only `fsync` and `fdatasync` make anything durable: of a file,
// the writes that had ended when the call was made; of a folder, its entries. Syncing a file does not save its name.
// Of what was not synced a cut keeps what it likes: any 512-byte sectors of the writes, in any combination, and of each
// folder's changes the first few.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { Random } from '../support/random.ts';
import { descriptorPath, namedPaths, type Syscall, writtenBytes } from '../support/syscalls.ts';

const SECTOR = 512;

class Content {
  #bytes: Buffer;
  #size: number;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#size = bytes.byteLength;
  }

  get size(): number {
    return this.#size;
  }

  copy(): Content {
    return new Content(Buffer.from(this.read()));
  }

  read(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }

  apply({ bytes, offset }: Pick<Write, 'bytes' | 'offset'>): void {
    const end = offset + (bytes?.byteLength ?? 0);
    this.#resize(bytes === null ? end : Math.max(this.#size, end));
    bytes?.copy(this.#bytes, offset);
  }

  #resize(size: number): void {
    if (size < this.#size) this.#bytes.fill(0, size, this.#size);
    if (size > this.#bytes.byteLength) {
      const roomier = Buffer.alloc(size * 2);
      this.read().copy(roomier);
      this.#bytes = roomier;
    }
    this.#size = size;
  }
}

interface Write {
  at: number;
  /** Null: the file is cut or lengthened to `offset`. */
  bytes: Buffer | null;
  offset: number;
}

interface Change {
  at: number;
  apply(entries: Map<string, Entry>): void;
}

interface DiskFile {
  kind: 'file';
  durable: Content;
  now: Content;
  unsynced: Write[];
}

interface Folder {
  kind: 'folder';
  durable: Map<string, Entry>;
  now: Map<string, Entry>;
  unsynced: Change[];
}

type Entry = DiskFile | Folder;

/** How much of what was not synced outlives a cut. */
export type Keeps = 'nothing' | 'half' | 'nearly all';
const CHANCE: Readonly<Record<Keeps, number>> = { nothing: 0, half: 0.5, 'nearly all': 0.95 };

export class LossyDisk {
  readonly #top: string;
  readonly #root: Folder;

  /** What lies in the folder now is durable. */
  constructor(folder: string) {
    this.#top = folder;
    this.#root = readFolder(folder);
  }

  apply(call: Syscall & { result: number }): void {
    const { name, args, at } = call;
    const paths = namedPaths(args);
    const [first = '', second = ''] = paths;
    if (name === 'openat') this.#open(first, args, at);
    else if (/^p?write/.test(name)) this.#write(call);
    else if (name === 'ftruncate') this.#truncate(descriptorPath(args), lastNumber(args), at);
    else if (/^f(data)?sync$/.test(name)) this.#sync(descriptorPath(args), call.enteredAt);
    else if (name.startsWith('mkdir')) this.#put(first, newFolder(), at);
    else if (name.startsWith('link')) this.#put(second, this.#find(first), at);
    else if (name.startsWith('rename')) this.#rename(first, second, at);
    else if (/^(unlink|rmdir)/.test(name)) this.#change(first, at, (to, key) => to.delete(key));
    else if (this.#find(descriptorPath(args)))
      throw new Error(`a call that the model does not know: ${name}`);
  }

  /** What every reader saw last; for comparing the model with the real folder. */
  files(): Map<string, Buffer> {
    return listFiles(
      this.#root,
      (file) => file.now.read(),
      (folder) => folder.now,
    );
  }

  /** Writes what is left after a cut into an empty folder. Returns how many bytes no sync had covered. */
  cutPower(into: string, keeps: Keeps, random: Random): number {
    const chance = CHANCE[keeps];
    const left = listFiles(
      this.#root,
      (file) => keepSectors(file, chance, random),
      (folder) => keepFirst(folder, chance, random),
    );
    for (const [path, bytes] of left) {
      mkdirSync(dirname(join(into, path)), { recursive: true, mode: 0o700 });
      writeFileSync(join(into, path), bytes, { mode: 0o600 });
    }
    return unsyncedBytes(this.#root);
  }

  #open(path: string, args: string, at: number): void {
    const known = this.#find(path);
    if (!known && args.includes('O_CREAT')) this.#put(path, newFile(), at);
    else if (known && args.includes('O_TRUNC')) this.#truncate(path, 0, at);
  }

  #write({ name, args, result, at }: Syscall & { result: number }): void {
    const file = this.#find(descriptorPath(args));
    // Of a deleted file nothing can be left.
    if (file?.kind !== 'file') return;
    const bytes = writtenBytes(args).subarray(0, result);
    if (bytes.byteLength !== result) throw new Error('the trace lacks bytes of a write');
    // Without an offset this program only ever writes on from the end.
    const offset = name.startsWith('pwrite') ? lastNumber(args) : file.now.size;
    record(file, { at, bytes, offset });
  }

  #truncate(path: string, size: number, at: number): void {
    const file = this.#find(path);
    if (file?.kind === 'file') record(file, { at, bytes: null, offset: size });
  }

  #sync(path: string, before: number): void {
    const entry = this.#find(path);
    if (entry?.kind === 'file') {
      for (const write of entry.unsynced) {
        if (write.at < before) entry.durable.apply(write);
      }
      entry.unsynced = entry.unsynced.filter(({ at }) => at >= before);
    } else if (entry) {
      for (const change of entry.unsynced) if (change.at < before) change.apply(entry.durable);
      entry.unsynced = entry.unsynced.filter(({ at }) => at >= before);
    }
  }

  #put(path: string, entry: Entry | undefined, at: number): void {
    if (entry) this.#change(path, at, (to, key) => to.set(key, entry));
  }

  #rename(from: string, to: string, at: number): void {
    const entry = this.#find(from);
    if (!entry) return;
    if (dirname(from) !== dirname(to)) throw new Error('the model renames inside a folder only');
    this.#change(to, at, (entries, key) => {
      entries.delete(basename(from));
      entries.set(key, entry);
    });
  }

  #change(path: string, at: number, work: (to: Map<string, Entry>, key: string) => void): void {
    const folder = this.#find(dirname(path));
    if (folder?.kind !== 'folder') return;
    const change = { at, apply: (to: Map<string, Entry>) => work(to, basename(path)) };
    change.apply(folder.now);
    folder.unsynced.push(change);
  }

  #find(path: string): Entry | undefined {
    const way = relative(this.#top, path);
    if (way.startsWith('..')) return undefined;
    let entry: Entry | undefined = this.#root;
    for (const name of way === '' ? [] : way.split(sep)) {
      entry = entry?.kind === 'folder' ? entry.now.get(name) : undefined;
    }
    return entry;
  }
}

const newFile = (bytes = Buffer.alloc(0)): DiskFile => ({
  kind: 'file',
  durable: new Content(bytes),
  now: new Content(Buffer.from(bytes)),
  unsynced: [],
});

const newFolder = (entries: readonly (readonly [string, Entry])[] = []): Folder => ({
  kind: 'folder',
  durable: new Map(entries),
  now: new Map(entries),
  unsynced: [],
});

function readFolder(path: string): Folder {
  const found = readdirSync(path, { withFileTypes: true }).flatMap((entry): [string, Entry][] => {
    const at = join(path, entry.name);
    if (entry.isDirectory()) return [[entry.name, readFolder(at)]];
    return entry.isFile() ? [[entry.name, newFile(readFileSync(at))]] : [];
  });
  return newFolder(found);
}

function record(file: DiskFile, write: Write): void {
  file.now.apply(write);
  file.unsynced.push(write);
}

function keepSectors(file: DiskFile, chance: number, random: Random): Buffer {
  const content = file.durable.copy();
  for (const { bytes, offset } of file.unsynced) {
    if (bytes === null) {
      if (random.chance(chance)) content.apply({ bytes, offset });
      continue;
    }
    for (let start = 0, end = 0; start < bytes.byteLength; start = end) {
      end = Math.min(bytes.byteLength, start + SECTOR - ((offset + start) % SECTOR));
      const sector = { bytes: bytes.subarray(start, end), offset: offset + start };
      if (random.chance(chance)) content.apply(sector);
    }
  }
  return content.read();
}

function keepFirst(folder: Folder, chance: number, random: Random): Map<string, Entry> {
  const entries = new Map(folder.durable);
  for (const change of folder.unsynced) {
    if (!random.chance(chance)) break;
    change.apply(entries);
  }
  return entries;
}

function unsyncedBytes(entry: Entry): number {
  if (entry.kind === 'file') {
    return entry.unsynced.reduce((sum, { bytes }) => sum + (bytes?.byteLength ?? 0), 0);
  }
  return [...entry.now.values()].reduce((sum, one) => sum + unsyncedBytes(one), 0);
}

function listFiles(
  folder: Folder,
  contentOf: (file: DiskFile) => Buffer,
  entriesOf: (folder: Folder) => Map<string, Entry>,
  prefix = '',
): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const [name, entry] of entriesOf(folder)) {
    const path = join(prefix, name);
    if (entry.kind === 'file') files.set(path, contentOf(entry));
    else for (const one of listFiles(entry, contentOf, entriesOf, path)) files.set(...one);
  }
  return files;
}

function lastNumber(args: string): number {
  return Number(/(\d+)$/.exec(args)?.[1]);
}
