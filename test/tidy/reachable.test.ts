// Every source file is used by the program, or is one of the listed parts that only tests use.
import { expect, it } from 'vitest';
import { importsOf, isTest, sourceFiles } from './tree.ts';

/** Main program; worker files are found through the `new URL` that starts them. */
const ENTRY = 'src/main.ts';

const FOR_TESTS: Readonly<Record<string, string>> = {
  'src/providers/scripted/server.ts': 'the upstream that the scripted provider talks to',
};

function reachableFrom(entries: readonly string[]): Set<string> {
  const byPath = new Map(sourceFiles.map((file) => [file.path, file]));
  const seen = new Set<string>();
  const waiting = [...entries];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const file = byPath.get(path);
    if (!file || seen.has(path)) continue;
    seen.add(path);
    for (const { target } of importsOf(file)) if (target !== null) waiting.push(target);
  }
  return seen;
}

it('no source file is dead', () => {
  const reachable = reachableFrom([ENTRY, ...Object.keys(FOR_TESTS)]);
  const dead = sourceFiles
    .map(({ path }) => path)
    .filter((path) => !isTest(path) && !reachable.has(path));
  expect(dead).toEqual([]);
});

it('the program does not need what is listed as used by tests only', () => {
  const reachable = reachableFrom([ENTRY]);
  expect(Object.keys(FOR_TESTS).filter((path) => reachable.has(path))).toEqual([]);
});
