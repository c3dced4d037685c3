export { authenticate } from './authenticate.ts';
export { revokeKey, rotateKey } from './change-key.ts';
export { type CreateKeyInput, createKey } from './create-key.ts';
export { ensureBootstrapKey } from './ensure-bootstrap-key.ts';
export { makeKeyText } from './key-text.ts';
export { SCOPES } from './operations.ts';
export { requireScope } from './require-scope.ts';
