// Which service, action and model a request means.
import type { JsonValue } from '../../kernel/json.ts';
import { isPresent } from './lenient.ts';
import type { Catalog, ServiceSpec } from './model.ts';

export interface Meaning {
  service: string;
  action: string;
  spec: ServiceSpec;
  model: string;
  modelAsSent: string;
  /** /v1/edit_image needs sources, also where the service edits by its text_to_image action. */
  needsSources: boolean;
}

export type ModelResult =
  | { kind: 'found'; meaning: Meaning }
  | { kind: 'unknown_route' }
  /** `spec` is known on /api routes, where the other fields can be judged all the same. */
  | { kind: 'wrong'; sentence: string; spec: ServiceSpec | null; action: string };

/** `-` and `_` are the same in services and actions (contract §1.1). */
export function underscored(text: string): string {
  return text.replaceAll('-', '_');
}

/** /api/v1/<service>/<action>: the path says the service; aliases are taken too (contract §3.4). */
export function readApiModel(
  catalog: Catalog,
  serviceInPath: string,
  actionInPath: string,
  sent: JsonValue | undefined,
): ModelResult {
  const service = underscored(serviceInPath);
  const action = underscored(actionInPath);
  const spec = Object.hasOwn(catalog.services, service) ? catalog.services[service] : undefined;
  if (!spec || !Object.hasOwn(spec.actions, action)) return { kind: 'unknown_route' };
  const names = namesOf(spec, action);
  const canonical = Object.keys(spec.models);
  const found = find(names, sent);
  if (found === null) {
    return { kind: 'wrong', sentence: sentence(sent, canonical), spec, action };
  }
  const meaning = { service, action, spec, ...found, needsSources: false };
  return { kind: 'found', meaning };
}

/** /v1/<action>: the model says the service (contract §1.8). */
export function readV1Model(
  catalog: Catalog,
  actionInPath: string,
  sent: JsonValue | undefined,
): ModelResult {
  const path = underscored(actionInPath);
  const all: string[] = [];
  for (const [service, spec] of Object.entries(catalog.services)) {
    const isEditByText = path === 'edit_image' && spec.edits_by_text_to_image;
    const action = isEditByText ? 'text_to_image' : path;
    if (!Object.hasOwn(spec.actions, action)) continue;
    const names = namesOf(spec, action);
    const found = find(names, sent);
    if (found !== null) {
      const meaning = { service, action, spec, ...found, needsSources: path === 'edit_image' };
      return { kind: 'found', meaning };
    }
    all.push(...names.keys());
  }
  if (all.length === 0) return { kind: 'unknown_route' };
  return { kind: 'wrong', sentence: sentence(sent, all), spec: null, action: path };
}

/** Every name → canonical model, for one action. */
export function namesOf(spec: ServiceSpec, action: string): Map<string, string> {
  const names = new Map<string, string>();
  for (const [model, { aliases }] of Object.entries(spec.models)) {
    names.set(model, model);
    for (const alias of aliases[action] ?? []) names.set(alias, model);
  }
  return names;
}

function find(names: ReadonlyMap<string, string>, sent: JsonValue | undefined) {
  if (typeof sent !== 'string') return null;
  const modelAsSent = sent.trim();
  const model = names.get(modelAsSent);
  return model === undefined ? null : { model, modelAsSent };
}

function sentence(sent: JsonValue | undefined, names: readonly string[]): string {
  if (!isPresent(sent)) return 'model is required';
  return `model must be one of: ${[...names].sort().join(', ')}`;
}
