// The repository as text, for the tests that read it. Imports are found with regular expressions: the
// formatter keeps them in one shape, and TypeScript 7 has no stable API to ask instead.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const CODE_FOLDERS = ['src', 'test', 'bench', 'scripts', 'examples'];

export interface CodeFile {
  /** From the repository's root, with forward slashes. */
  path: string;
  text: string;
  lines: readonly string[];
}

export interface ImportLine {
  /** As written. */
  specifier: string;
  /** The file it means, from the repository's root; null for packages and Node's own modules. */
  target: string | null;
  /** `import type` and `export type`: gone at run time. */
  isTypeOnly: boolean;
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function exists(path: string): boolean {
  return existsSync(join(root, path));
}

/** Paths below the root that match, without what is installed or made. */
export function listFiles(patterns: readonly string[]): string[] {
  return globSync([...patterns], {
    cwd: root,
    exclude: ['**/node_modules', 'dist', 'build', 'data', 'coverage'],
    withFileTypes: true,
  })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll('\\', '/'))
    .sort();
}

export const codeFiles: readonly CodeFile[] = listFiles([
  ...CODE_FOLDERS.map((folder) => `${folder}/**/*.ts`),
  '*.ts',
]).map((path) => {
  const text = read(path);
  return { path, text, lines: text.split('\n') };
});

export const sourceFiles = codeFiles.filter(({ path }) => path.startsWith('src/'));

/** Tests, what they share, and the suite that every storage engine must pass. */
export function isTest(path: string): boolean {
  return /\.(test|suite)\.ts$|^test\/|^src\/storage\/contract\//.test(path);
}

const STATIC = /^(?:import|export)(?<type> type)? (?:[^'"();]*? from )?'(?<specifier>[^']+)';/gms;
const DYNAMIC = /\bimport\(\s*'(?<specifier>[^']+)'/g;
/** Worker files, which a `new URL` with `import.meta.url` names, by `.ts` or the current file's extension. */
const WORKER =
  /new URL\(\s*[`'"](?<stem>\.{1,2}\/[^`'"$]*?)(?:\.ts|\$\{[^}]*\})[`'"],\s*import\.meta\.url/g;

export function importsOf(file: CodeFile): ImportLine[] {
  const found: ImportLine[] = [];
  const add = (specifier: string, isTypeOnly: boolean) => {
    const isOurs = specifier.startsWith('.');
    const path = join(dirname(file.path), specifier).replaceAll('\\', '/');
    found.push({ specifier, target: isOurs ? normalize(path) : null, isTypeOnly });
  };
  for (const { groups } of file.text.matchAll(STATIC)) {
    add(groups?.['specifier'] ?? '', groups?.['type'] !== undefined);
  }
  for (const { groups } of file.text.matchAll(DYNAMIC)) add(groups?.['specifier'] ?? '', false);
  const workers = file.path.startsWith('src/') ? file.text.matchAll(WORKER) : [];
  for (const { groups } of workers) add(`${groups?.['stem']}.ts`, false);
  return found;
}

/** `node:fs` → `node:fs`, `@scope/name/inner` → `@scope/name`. */
export function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}
