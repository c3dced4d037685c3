export { authenticate } from './authenticate.ts';
export { ensureBootstrapKey, makeKeyText } from './ensure-bootstrap-key.ts';
