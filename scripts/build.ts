// Compiles what the program and its worker threads import to dist/: JavaScript, types, and everything that is
// not code (SQL, fonts, pages) beside it.
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export function build(): void {
  const source = join(root, 'src');
  const target = join(root, 'dist');
  rmSync(target, { recursive: true, force: true });
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [compiler, '-p', join(root, 'tsconfig.build.json')], {
    cwd: root,
    stdio: 'inherit',
  });
  for (const file of globSync('**/*.d.ts', { cwd: target })) renameImports(join(target, file));
  for (const entry of globSync('**/*', { cwd: source, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.ts')) continue;
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(source.length + 1).replaceAll('\\', '/');
    if (/(^|\/)fixtures\//.test(name)) continue;
    mkdirSync(dirname(join(target, name)), { recursive: true });
    cpSync(path, join(target, name));
  }
}

/** The compiler renames the imports of code, but not those of declarations. */
function renameImports(declarations: string): void {
  const text = readFileSync(declarations, 'utf8');
  writeFileSync(
    declarations,
    text.replace(/((?:from |import\()(['"])\.{1,2}\/[^'"]+)\.ts\2/g, '$1.js$2'),
  );
}

if (import.meta.main) build();
