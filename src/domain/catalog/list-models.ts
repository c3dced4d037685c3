import type { Catalog } from './model.ts';
import { namesOf } from './read-model.ts';

export interface ListedModel {
  service: string;
  action: string;
  model: string;
  /** Every name it is known by on this action, itself included. */
  names: readonly string[];
}

export function listModels(catalog: Catalog): readonly ListedModel[] {
  return Object.entries(catalog.services).flatMap(([service, spec]) =>
    Object.keys(spec.actions).flatMap((action) => {
      const names = [...namesOf(spec, action)];
      return Object.keys(spec.models).map((model) => ({
        service,
        action,
        model,
        names: names.filter(([, canonical]) => canonical === model).map(([name]) => name),
      }));
    }),
  );
}
