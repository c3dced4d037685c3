// Small files and functions. A limit is raised for one listed place with its reason, never in general.
import { expect, it } from 'vitest';
import { type CodeFile, codeFiles } from './tree.ts';

const FILE_LINES_MAX = 500;
const FUNCTION_LINES_MAX = 70;

/** `path` or `path#function` → why it may be longer. */
const EXEMPT: Readonly<Record<string, string>> = {};

interface FunctionSize {
  name: string;
  lines: number;
}

const HEADER =
  /^(?<indent> *)(?:export )?(?:async )?(?:function\*? (?<plain>\w+)|const (?<arrow>\w+)(?:: [^=]+)? = (?:async )?(?:<[^(]*>)?\(|(?:static |override |get |set )?(?:async )?\*?#?(?<method>\w+)(?:<[^(]*>)?\()/;
const NO_FUNCTION = new Set(['if', 'for', 'while', 'switch', 'catch', 'return']);

/** Relies on the formatter: a body opens at the end of a line and closes at the header's indentation. */
function functionsOf(file: CodeFile): FunctionSize[] {
  const found: FunctionSize[] = [];
  for (const [start, line] of file.lines.entries()) {
    const groups = HEADER.exec(line)?.groups;
    const name = groups?.['plain'] ?? groups?.['arrow'] ?? groups?.['method'];
    if (!groups || name === undefined || NO_FUNCTION.has(name)) continue;
    const opening = line.endsWith('(') ? findAtIndent(file, start, `${groups['indent']})`) : start;
    // A call or an expression opens nothing, or an argument: `(args) => {` belongs to whom it is given.
    if (!/[)>\w\]'}] \{$/.test(file.lines[opening] ?? '')) continue;
    if (groups['method'] !== undefined && /=> \{$/.test(line)) continue;
    const end = findAtIndent(file, opening, `${groups['indent']}}`);
    if (end !== -1) found.push({ name, lines: end - start + 1 });
  }
  return found;
}

function findAtIndent(file: CodeFile, after: number, prefix: string): number {
  return file.lines.findIndex((line, index) => index > after && line.startsWith(prefix));
}

it(`no file is longer than ${FILE_LINES_MAX} lines`, () => {
  const long = codeFiles
    .filter(({ path, lines }) => lines.length - 1 > FILE_LINES_MAX && !(path in EXEMPT))
    .map(({ path, lines }) => `${path}: ${lines.length - 1}`);
  expect(long).toEqual([]);
});

it(`no function is longer than ${FUNCTION_LINES_MAX} lines`, () => {
  const long = codeFiles
    .filter(({ path }) => !/\.(test|suite)\.ts$/.test(path))
    .flatMap((file) =>
      functionsOf(file).map((size) => ({ ...size, key: `${file.path}#${size.name}` })),
    )
    .filter(({ key, lines }) => lines > FUNCTION_LINES_MAX && !(key in EXEMPT))
    .map(({ key, lines }) => `${key}: ${lines}`);
  expect(long).toEqual([]);
});

it('every exemption is still needed', () => {
  const known = new Set(
    codeFiles.flatMap((file) => [
      ...(file.lines.length - 1 > FILE_LINES_MAX ? [file.path] : []),
      ...functionsOf(file)
        .filter(({ lines }) => lines > FUNCTION_LINES_MAX)
        .map(({ name }) => `${file.path}#${name}`),
    ]),
  );
  expect(Object.keys(EXEMPT).filter((key) => !known.has(key))).toEqual([]);
});
