// Runs before every script that needs TypeScript support in Node.js. `npm run` finds the carried Node.js
// first where there is one (see optionalDependencies); elsewhere the system's must be new enough.
const version = process.versions.node;
if (Number.parseInt(version, 10) < 24) {
  console.error(
    `RunAPI Gateway needs Node.js 24 or newer; this is ${version}. On Linux and Windows "npm ci" brings it (unless optional packages are left out); elsewhere install it from your package manager.`,
  );
  process.exit(1);
}
