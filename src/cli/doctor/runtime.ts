import { type Check, finding } from './check.ts';

const MAJOR_MIN = 24;

export const checkRuntime: Check = async ({ nodeVersion }) => {
  const major = Number(/^v(\d+)/.exec(nodeVersion)?.[1]);
  const text = `Node.js ${nodeVersion}`;
  if (major >= MAJOR_MIN) return [finding('runtime', 'ok', text)];
  return [finding('runtime', 'fail', `${text}: version ${MAJOR_MIN} or newer is needed`)];
};
