// What the pages promise exists: paths, links, commands. And they name no machine.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeFiles, exists, listFiles, read, root } from './tree.ts';

const pages = listFiles(['*.md', 'docs/**/*.md', 'bench/**/*.md', 'examples/**/*.md']).map(
  (path) => ({
    path,
    text: read(path),
  }),
);

const FOLDERS = 'src|test|bench|scripts|bin|docs|examples|\\.ci';
/** `src/runner/run.ts` in back-ticks; a `*` or `<name>` in it stands for anything and is not looked up. */
const CODE_PATH = new RegExp(`\`((?:${FOLDERS})/[\\w./@-]*)\``, 'g');
const LINK = /\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g;
const COMMAND = /\bnpm (?:run ([\w:-]+)|(start|test)\b)/g;

describe('pages', () => {
  it('link to what exists', () => {
    const broken = pages.flatMap(({ path, text }) =>
      [...text.matchAll(LINK)]
        .map(([, target = '']) => target)
        .filter((target) => !existsSync(join(root, dirname(path), target)))
        .map((target) => `${path}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('name files and folders that exist', () => {
    const broken = pages.flatMap(({ path, text }) =>
      [...text.matchAll(CODE_PATH)]
        .map(([, target = '']) => target)
        .filter((target) => !exists(target))
        .map((target) => `${path}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  it('name npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const unknown = pages.flatMap(({ path, text }) =>
      [...text.matchAll(COMMAND)]
        .map(([, named, short]) => named ?? short ?? '')
        .filter((name) => !(name in scripts))
        .map((name) => `${path}: npm run ${name}`),
    );
    expect(unknown).toEqual([]);
  });

  it('are the ones a reader looks for', () => {
    const names = ['README', 'ARCHITECTURE', 'CONTRIBUTING', 'CHANGELOG', 'SECURITY'];
    expect(names.filter((name) => !exists(`${name}.md`))).toEqual([]);
  });
});

describe('the repository', () => {
  const texts = [
    ...pages,
    ...codeFiles,
    ...listFiles(['*.json', '*.yaml', '.npmrc', '.ci/**', 'bin/**', 'scripts/**/*.js']).map(
      (path) => ({
        path,
        text: read(path),
      }),
    ),
  ].filter(({ path }) => path !== 'test/tidy/docs.test.ts');

  it('mentions no folder of somebody’s machine', () => {
    const MACHINE_PATH = /(?<![\w.])\/(?:home|Users|root|work|workspace|mnt)\/[\w.-]+/;
    const found = texts.filter(({ text }) => MACHINE_PATH.test(text)).map(({ path }) => path);
    expect(found).toEqual([]);
  });

  it('mentions no package registry', () => {
    const REGISTRY =
      /registry\.npmjs|npmmirror|artifactory|\bnexus\b|verdaccio|pypi\.|\/\/[\w.]*registry[\w.]*\//i;
    const found = texts.filter(({ text }) => REGISTRY.test(text)).map(({ path }) => path);
    expect(found).toEqual([]);
  });
});
