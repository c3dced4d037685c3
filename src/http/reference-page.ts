// The OpenAPI document as one page that needs no script.
import type { JsonObject, JsonValue } from '../kernel/json.ts';
import { isJsonObject } from '../kernel/json.ts';
import { escapeHtml, htmlPage } from './html.ts';

interface ShownOperation {
  method: string;
  path: string;
  operation: JsonObject;
}

export function referencePage(document: JsonObject): string {
  const operations = listOperations(document);
  const info = object(document['info']);
  const index = operations
    .map(
      ({ method, path, operation }) =>
        `<li><a href="#${id(operation)}"><b>${method}</b> <code>${escapeHtml(path)}</code></a></li>`,
    )
    .join('\n');
  const schemas = Object.entries(object(object(document['components'])['schemas']));
  return htmlPage(
    'RunAPI Gateway reference',
    `<h1>RunAPI Gateway <small>${escapeHtml(String(info['version']))}</small></h1>
<p>${escapeHtml(String(info['description']))} Send the key as <code>Authorization: Bearer</code>. The same as a document: <a href="/openapi.json">/openapi.json</a>.</p>
<nav aria-label="Routes"><ul>${index}</ul></nav>
${operations.map(section).join('\n')}
<h2>Shapes</h2>
${schemas.map(([name, schema]) => `<section id="schema-${escapeHtml(name)}"><h3>${escapeHtml(name)}</h3>${properties(object(schema))}</section>`).join('\n')}`,
  );
}

function listOperations(document: JsonObject): ShownOperation[] {
  return Object.entries(object(document['paths'])).flatMap(([path, methods]) =>
    Object.entries(object(methods)).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation: object(operation),
    })),
  );
}

function section({ method, path, operation }: ShownOperation): string {
  const body = object(object(object(operation['requestBody'])['content'])['application/json']);
  const parameters = list(operation['parameters']).filter(({ in: where }) => where !== 'path');
  const responses = Object.entries(object(operation['responses']));
  return `<section id="${id(operation)}">
<h2><b>${method}</b> <code>${escapeHtml(path)}</code></h2>
<p>${escapeHtml(String(operation['summary']))}</p>
${parameters.length === 0 ? '' : `<h3>Query and headers</h3><dl>${parameters.map(parameter).join('')}</dl>`}
${body['schema'] === undefined ? '' : `<h3>Body</h3>${properties(object(body['schema']))}<pre><code>${escapeHtml(JSON.stringify(body['example'], null, 2))}</code></pre>`}
<h3>Answers</h3><dl>${responses.map(([status, response]) => `<dt>${status}</dt><dd>${answer(object(response))}</dd>`).join('')}</dl>
</section>`;
}

function parameter(parameterObject: JsonObject): string {
  const { name, description, schema } = parameterObject;
  const text = String(description ?? object(schema)['description'] ?? '');
  return `<dt><code>${escapeHtml(String(name))}</code></dt><dd>${escapeHtml(text)}</dd>`;
}

function answer(response: JsonObject): string {
  const [[type = '', content = null] = []] = Object.entries(object(response['content']));
  const reference = object(object(content)['schema'])['$ref'];
  const name = typeof reference === 'string' ? (reference.split('/').at(-1) ?? '') : '';
  const shape = name === '' ? escapeHtml(type) : `<a href="#schema-${name}">${name}</a>`;
  const words = String(response['description']).split('\n').map(escapeHtml).join('<br>');
  return `${words} ${shape}`;
}

function properties(schema: JsonObject): string {
  const required = new Set(Array.isArray(schema['required']) ? schema['required'] : []);
  const rows = Object.entries(object(schema['properties'])).map(([name, property]) => {
    const { type, enum: values, description, default: fallback } = object(property);
    const words = [
      required.has(name) ? 'required' : '',
      type === undefined ? '' : String(type),
      Array.isArray(values) ? `one of ${values.join(', ')}` : '',
      fallback === undefined ? '' : `default ${String(fallback)}`,
    ].filter((word) => word !== '');
    return `<dt><code>${escapeHtml(name)}</code> <small>${escapeHtml(words.join(' · '))}</small></dt><dd>${escapeHtml(String(description ?? ''))}</dd>`;
  });
  return `<dl>${rows.join('')}</dl>`;
}

function id(operation: JsonObject): string {
  return escapeHtml(String(operation['operationId']));
}

function object(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function list(value: JsonValue | undefined): JsonObject[] {
  return Array.isArray(value) ? value.map((item) => object(item)) : [];
}
