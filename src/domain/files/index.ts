export { fetchSources } from './fetch-sources.ts';
export { findOutput } from './find-output.ts';
export { loadSource } from './load-source.ts';
export { SourceError, stageSources } from './stage-sources.ts';
