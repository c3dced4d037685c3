// Health, the root page and the reference.
import { readFileSync } from 'node:fs';
import { buildOpenApi } from '../contract/openapi.ts';
import { describeCreates } from '../domain/catalog/index.ts';
import { AppError } from '../kernel/app-error.ts';
import type { JsonObject } from '../kernel/json.ts';
import { type Door, type Handler, header } from './door.ts';
import { escapeHtml, htmlPage } from './html.ts';
import { referencePage } from './reference-page.ts';

const HTML = 'text/html; charset=utf-8';
const style = readFileSync(new URL('./assets/reference.css', import.meta.url), 'utf8');
const icon = readFileSync(new URL('./assets/icon.svg', import.meta.url), 'utf8');

export const liveHandler: Handler = () => ({ status: 'ok' });

export const readyHandler: Handler = async (door) => {
  if (await door.isReady()) return { status: 'ok' };
  throw new AppError('shutting_down', 'The gateway takes no work now.', { retryAfterSeconds: 2 });
};

export const openApiHandler: Handler = (door) => document(door);

export const referenceHandler: Handler = (door, _request, reply) =>
  reply.type(HTML).send(referencePage(document(door)));

export const referenceStyleHandler: Handler = (_door, _request, reply) =>
  reply.type('text/css; charset=utf-8').send(style);

export const iconHandler: Handler = (_door, _request, reply) =>
  reply.type('image/svg+xml').send(icon);

export const rootHandler: Handler = (door, request, reply) => {
  const models = door.describeModels();
  if (!header(request, 'accept')?.includes('text/html')) {
    const links = { reference: '/reference', openapi: '/openapi.json', health: '/health/ready' };
    return { name: 'RunAPI Gateway', version: door.version, models, links };
  }
  const rows = models.map(
    ({ model, provider }) =>
      `<tr><td><code>${escapeHtml(model)}</code></td><td>${describeProvider(provider)}</td></tr>`,
  );
  const body = `<h1>RunAPI Gateway <small>${escapeHtml(door.version)}</small></h1>
<p>It runs. Base URL: <code>${escapeHtml(door.ctx.settings.publicUrl)}</code></p>
<h2>What serves each model</h2>
<table><thead><tr><th>Model</th><th>Served by</th></tr></thead><tbody>${rows.join('')}</tbody></table>
<p><a href="/reference">Reference</a> · <a href="/openapi.json">OpenAPI document</a> · <a href="/health/ready">Health</a></p>`;
  return reply.type(HTML).send(htmlPage('RunAPI Gateway', body));
};

function describeProvider(provider: string | null): string {
  if (provider === null) return 'nothing';
  if (provider !== 'illustrator') return escapeHtml(provider);
  return 'illustrator, the built-in procedural renderer (not GPT Image)';
}

function document(door: Door): JsonObject {
  return buildOpenApi({
    version: door.version,
    publicUrl: door.ctx.settings.publicUrl,
    creates: describeCreates(door.ctx.catalog),
  });
}
