#!/usr/bin/env node
// Plain JavaScript that every Node.js since 10 can read, so that an old one gets a sentence, not a stack.
const version = process.versions.node;
if (Number.parseInt(version, 10) < 24) {
  console.error(
    `runapi-gateway needs Node.js 24 or newer; this is ${version}. In a clone, "npm ci && npm start" brings its own on Linux and Windows.`,
  );
  process.exitCode = 1;
} else {
  // package.json says what this is: the sources in a clone, the compiled code in the published package.
  import('#main');
}
