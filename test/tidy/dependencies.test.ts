// What we depend on: pinned, licensed, explained, and free of any one registry.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { copyrightOf, listProductionPackages } from '../../scripts/production-packages.ts';
import { renderNotices } from '../../scripts/render-notices.ts';
import { read } from './tree.ts';

/** Licences that go with Apache-2.0 for packages installed beside it. */
const ALLOWED = new Set(['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0']);
/** Only there: fonts under their own licence, and sharp's dynamically linked image library. */
const ALLOWED_FOR: readonly { license: string; name: RegExp }[] = [
  { license: 'OFL-1.1', name: /^@fontsource\// },
  { license: 'LGPL-3.0-or-later', name: /^@img\/sharp-/ },
];

const APACHE_2_0_SHA256 = 'cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30';

interface LockEntry {
  integrity?: string;
  resolved?: string;
  hasInstallScript?: boolean;
  optionalDependencies?: Record<string, string>;
}

const manifest = JSON.parse(read('package.json')) as {
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
};
const lock = JSON.parse(read('package-lock.json')) as {
  packages: Record<string, LockEntry>;
};
const direct = {
  ...manifest.dependencies,
  ...manifest.devDependencies,
  ...manifest.optionalDependencies,
};

describe('licences', () => {
  it('of everything that an installed gateway brings along are allowed', () => {
    const wrong = listProductionPackages().filter(
      ({ name, license }) =>
        !license
          .split(' AND ')
          .every(
            (part) =>
              ALLOWED.has(part) ||
              ALLOWED_FOR.some((entry) => entry.license === part && entry.name.test(name)),
          ),
    );
    expect(wrong).toEqual([]);
  });

  it('are listed in THIRD_PARTY_NOTICES.md (npm run notices)', () => {
    expect(listProductionPackages().some((entry) => copyrightOf(entry) !== '')).toBe(true);
    expect(read('THIRD_PARTY_NOTICES.md')).toBe(renderNotices());
  });

  it('of this project is the unmodified Apache License with our name in its notice', () => {
    const own = '   Copyright 2026 The RunAPI Gateway authors';
    const text = read('LICENSE').replace(own, '   Copyright [yyyy] [name of copyright owner]');
    expect(createHash('sha256').update(text).digest('hex')).toBe(APACHE_2_0_SHA256);
  });
});

describe('direct dependencies', () => {
  it('have a line of reason in docs/decisions/dependencies.md', () => {
    const page = read('docs/decisions/dependencies.md');
    const missing = Object.keys(direct).filter((name) => !page.includes(`\`${name}\``));
    expect(missing).toEqual([]);
  });

  it('are pinned to one version', () => {
    const loose = Object.entries(direct).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version));
    expect(loose).toEqual([]);
  });
});

describe('the lock file', () => {
  const entries = Object.entries(lock.packages).filter(([folder]) => folder !== '');

  it('has the integrity of every package', () => {
    expect(entries.filter(([, entry]) => !entry.integrity?.startsWith('sha512-'))).toEqual([]);
  });

  // A package that was not there when the lock was written fails `npm ci`, on every system.
  it('has every optional package that its packages name', () => {
    const missing = entries.flatMap(([folder, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter(
        (name) =>
          !(`node_modules/${name}` in lock.packages) &&
          !(`${folder}/node_modules/${name}` in lock.packages),
      ),
    );
    expect(missing).toEqual([]);
  });

  it('names no registry', () => {
    expect(entries.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
  });

  it('installs nothing that runs a script of its own', () => {
    const scripted = entries.filter(([, entry]) => entry.hasInstallScript).map(([name]) => name);
    expect(scripted).toEqual([]);
  });
});

describe('package.json', () => {
  it('is the repository’s own, not the published one (put it back: node scripts/postpack.ts)', () => {
    expect(manifest.scripts).toHaveProperty('test');
  });

  it('has scripts that every shell understands', () => {
    const shellOnly = Object.entries(manifest.scripts).filter(([, text]) =>
      /[;$|`'<>*]|(^| )\w+=/.test(text),
    );
    expect(shellOnly).toEqual([]);
  });
});
