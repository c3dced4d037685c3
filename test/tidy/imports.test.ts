// Who may import what. These tables are the rule; ARCHITECTURE.md explains it.
import { describe, expect, it } from 'vitest';
import { codeFiles, exists, type ImportLine, importsOf, isTest, packageOf } from './tree.ts';

/** `<name>` stands for one folder; a folder may always import itself. `types:` allows types only. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  contract: ['kernel'],
  domain: ['kernel', 'contract'], // and other modules: see MODULES
  'providers/provider.ts': ['kernel'],
  'providers/kit': ['providers/provider.ts', 'kernel'],
  'providers/illustrator': ['providers/provider.ts', 'providers/kit', 'kernel', 'engine'],
  'providers/<name>': ['providers/provider.ts', 'providers/kit', 'kernel'],
  engine: [],
  'storage/rows': ['types:domain'],
  'storage/migrations': [],
  'storage/backup': ['kernel', 'storage/sqlite'],
  'storage/open.ts': ['kernel', 'types:domain', 'storage/<name>'],
  'storage/<name>': ['kernel', 'types:domain', 'storage/rows', 'storage/migrations'],
  runner: ['domain', 'providers/provider.ts', 'providers/kit', 'kernel'],
  http: ['contract', 'domain', 'kernel'],
  cli: ['contract', 'domain', 'kernel'],
  // Each provider and store checks its own settings; the configuration only gathers their schemas.
  'config.ts': ['kernel', 'providers/<name>', 'storage/<name>'],
  'main.ts': ['compose.ts', 'config.ts', 'cli'],
  'compose.ts': ['*'],
};

/** A module may use the verbs of those to its left. Types of models are the common language: no order. */
const MODULES = ['accounts', 'catalog', 'pricing', 'ledger', 'limits', 'files', 'events', 'tasks'];
/** What a module shows: its verbs and its nouns. */
const BORDER = /\/(index|model)\.ts$/;

/** Packages and Node modules by folder; `*`: any built-in module. */
const MAY_USE: Readonly<Record<string, readonly string[]>> = {
  kernel: ['*', 'ipaddr.js', 'sharp', 'undici'],
  contract: ['zod'],
  domain: ['node:crypto', 'zod'],
  providers: ['*', 'undici', 'zod'],
  engine: ['*', '@napi-rs/canvas', 'sharp'],
  storage: ['*', '@aws-sdk/client-s3', '@aws-sdk/s3-request-presigner', 'pg', 'zod'],
  runner: ['node:crypto'],
  http: ['*', 'fastify', 'zod'],
  cli: ['*', 'commander', 'pino', 'undici'],
  'config.ts': ['node:fs', 'node:path', 'ipaddr.js', 'yaml', 'zod'],
  'main.ts': ['node:fs'],
  'compose.ts': ['*'],
};

/** Black box: these know the gateway over its network, files and command line only. */
const BLACK_BOX = /^test\/(journeys|packed|offline)\//;

const problems = (rule: (path: string, line: ImportLine) => string | null): string[] =>
  codeFiles.flatMap((file) =>
    importsOf(file).flatMap((line) => {
      const problem = rule(file.path, line);
      return problem === null ? [] : [`${file.path} imports ${line.specifier}: ${problem}`];
    }),
  );

/** `src/storage/sqlite/store.ts` → `storage/sqlite`; `src/http/app.ts` → `http`; `src/main.ts` → `main.ts`. */
function areaOf(path: string): string {
  const [, first = '', second = ''] = path.split('/');
  if (first !== 'storage' && first !== 'providers') return first;
  return `${first}/${second}`;
}

function ruleOf(area: string): readonly string[] {
  const [first] = area.split('/');
  return MAY_IMPORT[area] ?? MAY_IMPORT[`${first}/<name>`] ?? [];
}

function isAllowed(entry: string, to: string, line: ImportLine): boolean {
  if (entry === '*') return true;
  if (entry.startsWith('types:')) return line.isTypeOnly && entry === `types:${to}`;
  return (
    entry === to || (entry.endsWith('/<name>') && to.startsWith(entry.slice(0, -'<name>'.length)))
  );
}

describe('import arrows', () => {
  it('point only where the table allows', () => {
    const found = problems((path, line) => {
      if (!path.startsWith('src/') || !line.target?.startsWith('src/') || isTest(path)) return null;
      const [from, to] = [areaOf(path), areaOf(line.target)];
      if (from === to || ruleOf(from).some((entry) => isAllowed(entry, to, line))) return null;
      return `${from} may import ${ruleOf(from).join(', ') || 'nothing of ours'}`;
    });
    expect(found).toEqual([]);
  });

  it('inside the domain point to the left, over the border of a module', () => {
    const found = problems((path, line) => {
      if (!path.startsWith('src/domain/') || isTest(path)) return null;
      if (!line.target?.startsWith('src/domain/')) return null;
      const [from, to] = [path, line.target].map((file) =>
        MODULES.indexOf(file.split('/')[2] ?? ''),
      );
      // `context.ts` and `operations.ts` of the folder itself name the types of all modules.
      if (from === to || from === -1 || to === -1)
        return line.isTypeOnly || to === from ? null : 'types only';
      if (line.isTypeOnly && /\/(model|operations)\.ts$/.test(line.target)) return null;
      if (Number(to) > Number(from)) return `the order is ${MODULES.join(' · ')}`;
      return BORDER.test(line.target) ? null : 'not shown by the module';
    });
    expect(found).toEqual([]);
  });

  it('from outside reach a module of the domain over its border; types may come from anywhere in it', () => {
    const found = problems((path, line) => {
      if (!path.startsWith('src/') || path.startsWith('src/domain/') || isTest(path)) return null;
      if (!line.target?.startsWith('src/domain/') || path === 'src/compose.ts') return null;
      return line.isTypeOnly || BORDER.test(line.target) ? null : 'not shown by the module';
    });
    expect(found).toEqual([]);
  });

  it('never lead from a black-box test into src, nor from src into tests, scripts and bench', () => {
    const found = problems((path, line) => {
      if (BLACK_BOX.test(path)) return line.target?.startsWith('src/') ? 'black box' : null;
      if (!path.startsWith('src/') || isTest(path) || line.target === null) return null;
      return line.target.startsWith('src/') && !isTest(line.target)
        ? null
        : 'not part of the product';
    });
    expect(found).toEqual([]);
  });

  it('name files that exist, with their extension', () => {
    const found = problems((_path, { target }) =>
      target === null || exists(target) ? null : 'no such file',
    );
    expect(found).toEqual([]);
  });
});

describe('packages', () => {
  it('are used only in the folders that may know them', () => {
    const found = problems((path, line) => {
      if (!path.startsWith('src/') || isTest(path) || line.target !== null) return null;
      const [, area = ''] = path.split('/');
      const name = packageOf(line.specifier);
      const allowed = MAY_USE[area] ?? [];
      if (allowed.includes(name) || (name.startsWith('node:') && allowed.includes('*')))
        return null;
      return `${area} may use ${allowed.join(', ') || 'no package'}`;
    });
    expect(found).toEqual([]);
  });

  it('of Node.js are written with node: in front', () => {
    const bare = new Set([
      'fs',
      'path',
      'url',
      'http',
      'https',
      'crypto',
      'os',
      'net',
      'stream',
      'events',
    ]);
    expect(problems((_path, { specifier }) => (bare.has(specifier) ? 'node:' : null))).toEqual([]);
  });
});
