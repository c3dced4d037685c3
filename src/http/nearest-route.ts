// What to say to a request that no route takes.
import { routeList } from '../contract/operations.ts';
import { AppError } from '../kernel/app-error.ts';

/** 405 when the path is right, else 404 with the most similar route. */
export function unknownRoute(
  method: string,
  path: string,
  baseUrl: string,
): { error: AppError; allow: string | null } {
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path;
  const samePath = routeList.find((route) => toPattern(route.path).test(path));
  if (samePath) {
    const allow = samePath.method === 'GET' ? 'GET, HEAD' : samePath.method;
    const message = `${shown} takes ${samePath.method}, not ${method}.`;
    return { error: new AppError('method_not_allowed', message), allow };
  }
  const [best] = routeList
    .map((route) => ({ route, distance: editDistance(path.slice(0, 200), route.path) }))
    .sort((a, b) => a.distance - b.distance);
  const hint = best ? ` The nearest is ${best.route.method} ${best.route.path}.` : '';
  const message = `There is no route ${method} ${shown}.${hint} The base URL is ${baseUrl}, all routes are listed at ${baseUrl}/reference.`;
  return { error: new AppError('route_not_found', message), allow: null };
}

function toPattern(path: string): RegExp {
  return new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+').replaceAll('.', '\\.')}$`);
}

/** Levenshtein, one row at a time. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      const replaced = (row[j - 1] ?? 0) + (isSame ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
