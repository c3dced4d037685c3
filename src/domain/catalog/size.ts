// From (model, resolution, ratio) to exact pixels.
import type { Catalog } from './model.ts';

export interface Size {
  width: number;
  height: number;
  aspectRatio: string;
}

/**
 * The table's cell. `auto`: 1:1, or for edits the ratio nearest to the first source, by |log| of the ratios.
 * A tier that a model lacks falls to its only one.
 */
export function sizeFor(
  catalog: Catalog,
  request: {
    service: string;
    model: string;
    outputResolution: string | null;
    aspectRatio: string;
  },
  firstSource: { width: number; height: number } | null,
): Size {
  const model = catalog.services[request.service]?.models[request.model];
  const table = model && catalog.sizes[model.sizes];
  const cells = table?.[request.outputResolution ?? '1k'] ?? table?.['1k'];
  if (!cells) throw new Error(`the catalogue has no sizes for ${request.model}`);
  const aspectRatio =
    request.aspectRatio === 'auto' ? nearest(Object.keys(cells), firstSource) : request.aspectRatio;
  const cell = cells[aspectRatio];
  if (!cell) throw new Error(`the catalogue has no size for ${request.model} at ${aspectRatio}`);
  const [width, height] = cell;
  return { width, height, aspectRatio };
}

function nearest(
  ratios: readonly string[],
  source: { width: number; height: number } | null,
): string {
  if (!source) return '1:1';
  const wanted = Math.log(source.width / source.height);
  const distance = (ratio: string): number => {
    const [width = 1, height = 1] = ratio.split(':').map(Number);
    return Math.abs(wanted - Math.log(width / height));
  };
  return ratios.reduce((best, ratio) => (distance(ratio) < distance(best) ? ratio : best), '1:1');
}
