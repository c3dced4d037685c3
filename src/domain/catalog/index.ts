export { readBackground } from './background.ts';
export { defaultCatalog } from './data.ts';
export { describeCreates } from './describe-creates.ts';
export { requestFingerprint } from './fingerprint.ts';
export { listModels } from './list-models.ts';
export { type Catalog, catalogSchema } from './model.ts';
export {
  type CreateRequest,
  type ReadCreateResult,
  readCreateRequest,
} from './read-create-request.ts';
export { sizeFor } from './size.ts';
