// Calls and words that are banned in some place, with what to write instead.
import { describe, expect, it } from 'vitest';
import { codeFiles, isTest } from './tree.ts';

interface Ban {
  name: string;
  pattern: RegExp;
  /** Files that may; null for none. */
  except: RegExp | null;
  /** Binds the program; tests may. */
  isForProgram?: true;
  instead: string;
}

const BANS: readonly Ban[] = [
  {
    name: 'process.env',
    pattern: /\bprocess\.env\b/,
    except: /^src\/(main|config)\.ts$|^(bench|scripts)\//,
    isForProgram: true,
    instead: 'a setting of src/config.ts',
  },
  {
    name: 'the ambient clock',
    pattern: /\bDate\.now\(|\bnew Date\(\)/,
    // The database's own clock is anchored once, at start.
    except:
      /^src\/kernel\/clock\.ts$|^src\/engine\/|^src\/storage\/sqlite\/database\.ts$|^(bench|scripts)\//,
    isForProgram: true,
    instead: 'ctx.clock',
  },
  {
    name: 'console',
    pattern: /\bconsole\.\w+\(/,
    except: /^(bench|scripts)\//,
    isForProgram: true,
    instead: 'ctx.log, or the stream a command was given',
  },
  {
    name: 'any',
    pattern: /(?<!\?):\s*any\b(?=[,;)\]=> ]|$)|\bas any\b|<any>|any\[\]/,
    except: null,
    instead: 'unknown, and a parser',
  },
  {
    name: 'a default export',
    pattern: /^export default\b/,
    except: /^vitest\.config\.ts$/,
    instead: 'a named export',
  },
  {
    name: 'global fetch',
    pattern: /(?<![.\w])fetch\(/,
    except: /^src\/kernel\/outbound\.ts$|^src\/providers\/kit\/|^bench\//,
    isForProgram: true,
    instead: 'ctx.outbound, which distrusts addresses',
  },
  {
    name: 'a compiler or linter silencer',
    pattern: /@ts-(?:ignore|expect-error|nocheck)|biome-ignore/,
    except: null,
    instead: 'code that needs none',
  },
  {
    name: 'a test that is left out or alone',
    pattern: /\b(?:it|test|describe)\.(?:only|todo|fails)\(|\b(?:it|test|describe)\.skip\(/,
    except: null,
    instead: 'skipIf with a reason, or no test',
  },
];

const VAGUE_NAMES = /(?:^|[/-])(?:utils?|helpers?|common|misc|manager|impl|base|types)\.ts$/;
const KEBAB_CASE = /^(?:[a-z0-9]+(?:-[a-z0-9]+)*)(?:\.(?:part|pg|test|suite|config))*\.ts$/;

describe('banned', () => {
  // The rules themselves spell out what they ban.
  const files = codeFiles.filter(({ path }) => path !== 'test/tidy/words.test.ts');

  for (const { name, pattern, except, isForProgram, instead } of BANS) {
    it(`${name} (write ${instead})`, () => {
      const found = files
        .filter(({ path }) => !except?.test(path) && !(isForProgram && isTest(path)))
        .flatMap(({ path, lines }) =>
          lines.flatMap((line, index) =>
            pattern.test(withoutComment(line)) ? [`${path}:${index + 1} ${line.trim()}`] : [],
          ),
        );
      expect(found).toEqual([]);
    });
  }
});

describe('file names', () => {
  it('are kebab-case', () => {
    const wrong = codeFiles.filter(({ path }) => !KEBAB_CASE.test(path.split('/').at(-1) ?? ''));
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });

  it('say what is inside', () => {
    expect(codeFiles.map(({ path }) => path).filter((path) => VAGUE_NAMES.test(path))).toEqual([]);
  });

  it('are index.ts only at the border of a module', () => {
    const inner = codeFiles
      .map(({ path }) => path)
      .filter((path) => /\/index\.ts$/.test(path) && !isTest(path))
      .filter((path) => !/^src\/(engine|runner|domain\/[^/]+)\/index\.ts$/.test(path));
    expect(inner).toEqual([]);
  });
});

/** Comments may name what is banned; a `//` inside a string is rare enough to be read as one. */
function withoutComment(line: string): string {
  return /^\s*(?:\/\/|\/?\*)/.test(line) ? '' : line;
}
