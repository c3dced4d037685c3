export { requireCapacity } from './require-capacity.ts';
