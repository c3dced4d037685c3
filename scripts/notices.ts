// `npm run notices`: writes THIRD_PARTY_NOTICES.md.
import { writeFileSync } from 'node:fs';
import { renderNotices } from './render-notices.ts';

writeFileSync(new URL('../THIRD_PARTY_NOTICES.md', import.meta.url), renderNotices());
