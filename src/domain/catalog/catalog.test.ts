import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../kernel/json.ts';
import { chargeFor, quoteFor } from '../pricing/index.ts';
import {
  type CreateRequest,
  defaultCatalog,
  readCreateRequest,
  requestFingerprint,
  sizeFor,
} from './index.ts';

const isPublicUrl = (url: string) => /^https?:\/\/[^/@]*example\.com/.test(url);

function read(path: string, body: JsonObject) {
  const [, first = '', second = '', service = '', action = ''] = path.split('/');
  const isApi = first === 'api';
  return readCreateRequest(defaultCatalog, {
    flavour: isApi ? 'api' : 'v1',
    service: isApi ? service : null,
    action: isApi ? action : second,
    body,
    isPublicUrl,
  });
}

function good(path: string, body: JsonObject): CreateRequest {
  const result = read(path, body);
  if (!result.ok) throw new Error(JSON.stringify(result));
  return result.request;
}

function errors(path: string, body: JsonObject) {
  const result = read(path, body);
  return 'fields' in result ? result.fields : null;
}

const T2I = '/v1/text_to_image';
const EDIT = '/v1/edit_image';
const SOURCE = ['https://example.com/a.png'];

describe('names of models', () => {
  it.each([
    [T2I, 'gpt-image-2-text-to-image', 'gpt_image_2', 'text_to_image', 'gpt-image-2'],
    [T2I, 'gpt-image-2', 'gpt_image_2', 'text_to_image', 'gpt-image-2'],
    [EDIT, 'gpt-image-2-image-to-image', 'gpt_image_2', 'edit_image', 'gpt-image-2'],
    [EDIT, 'gpt-image-2', 'gpt_image_2', 'edit_image', 'gpt-image-2'],
    [T2I, 'gpt-image-2.5-flare', 'gpt_image_2_5', 'text_to_image', 'gpt-image-2.5-flare'],
    [EDIT, 'gpt-image-2.5-sunburst', 'gpt_image_2_5', 'edit_image', 'gpt-image-2.5-sunburst'],
    [
      '/api/v1/gpt-image-2/text-to-image',
      'gpt-image-2',
      'gpt_image_2',
      'text_to_image',
      'gpt-image-2',
    ],
    [
      '/api/v1/gpt_image_2/edit_image',
      'gpt-image-2-image-to-image',
      'gpt_image_2',
      'edit_image',
      'gpt-image-2',
    ],
  ])('%s with %s', (path, name, service, action, model) => {
    const request = good(path, { model: name, prompt: 'x', source_image_urls: SOURCE });
    expect(request).toMatchObject({ service, action, model, modelAsSent: name });
  });

  it('gpt-4o-image takes both paths and needs sources on the edit path', () => {
    const body = { model: 'gpt-4o-image', prompt: 'x', aspect_ratio: '1:1' };
    expect(good(T2I, body)).toMatchObject({ service: 'gpt_4o_image', action: 'text_to_image' });
    expect(errors(EDIT, body)).toEqual({ source_image_urls: ['source_image_urls is required'] });
    expect(good(EDIT, { ...body, source_image_urls: SOURCE }).sourceUrls).toEqual(SOURCE);
  });

  it('an unknown or wrongly paired one on /v1 is the only error, with every valid name', () => {
    for (const model of ['nope', 'gpt-image-2-image-to-image']) {
      const found = errors(T2I, { model, aspect_ratio: 'bad' });
      expect(Object.keys(found!)).toEqual(['model']);
      expect(found!['model']![0]).toMatch(/^model must be one of: .*gpt-image-2-text-to-image/);
      expect(found!['model']![0]).not.toContain('gpt-image-2-image-to-image');
    }
    expect(errors(T2I, {})).toEqual({ model: ['model is required'] });
  });

  it('an unknown service or action is none', () => {
    for (const path of [
      '/api/v1/me/balance',
      '/api/v1/constructor/prompt',
      '/api/v1/gpt_image_2/x',
    ]) {
      expect(read(path, {})).toEqual({ ok: false, notFound: true });
    }
  });
});

describe('fields', () => {
  it('all wrong ones are told at once, in the words of the contract', () => {
    const body = {
      model: 'gpt-4o-image',
      prompt: 5,
      aspect_ratio: '16:9',
      output_count: '2',
      source_image_urls: 'https://example.com/a.png',
      mask_url: 'ftp://x',
      enable_prompt_expansion: 'yes',
      callback_url: 'http://10.0.0.1/hook',
    };
    expect(errors('/api/v1/gpt_4o_image/text_to_image', body)).toEqual({
      prompt: ['prompt must be a string'],
      aspect_ratio: ['aspect_ratio must be one of: 1:1, 3:2, 2:3'],
      output_count: ['output_count must be an integer'],
      source_image_urls: ['source_image_urls must be an array'],
      mask_url: ['mask_url must be an http, https or data URL'],
      enable_prompt_expansion: ['enable_prompt_expansion must be a boolean'],
      callback_url: ['callback_url must be a public http or https URL'],
    });
  });

  it.each([
    [{ prompt: '' }, { prompt: ['prompt is required'] }],
    [{ prompt: null }, { prompt: ['prompt is required'] }],
    [{ prompt: 'x'.repeat(32_001) }, { prompt: ['prompt must be at most 32000 characters'] }],
    [{ prompt: '\ud800' }, { prompt: ['prompt must be valid Unicode text'] }],
    [{ prompt: 'a\u0000b' }, { prompt: ['prompt must be valid Unicode text'] }],
    [
      { output_resolution: '8k' },
      { output_resolution: ['output_resolution must be one of: 1k, 2k, 4k'] },
    ],
    [{ output_resolution: 2 }, { output_resolution: ['output_resolution must be a string'] }],
  ])('%j', (change, expected) => {
    expect(errors(T2I, { model: 'gpt-image-2', prompt: 'x', ...change })).toEqual(expected);
  });

  it('32,000 characters are counted as characters', () => {
    expect(good(T2I, { model: 'gpt-image-2', prompt: '😀'.repeat(32_000) }).prompt).toHaveLength(
      64_000,
    );
  });

  it('sources are counted and each is judged', () => {
    const edit = { model: 'gpt-image-2', prompt: 'x' };
    const name = 'source_image_urls';
    expect(errors(EDIT, { ...edit, [name]: [] })).toEqual({ [name]: [`${name} is required`] });
    expect(errors(EDIT, { ...edit, [name]: Array(17).fill(SOURCE[0]) })).toEqual({
      [name]: [`${name} must contain between 1 and 16 items`],
    });
    expect(
      errors(EDIT, { ...edit, [name]: ['https://example.com/a', 7, 'http://10.1.1.1/'] }),
    ).toEqual({
      [name]: [`${name}[1] must be a string`, `${name}[2] must be a public http or https URL`],
    });
  });

  it('enums are read leniently and echoed in the listed spelling', () => {
    const lenient = { aspect_ratio: ' １６ x ９ ', output_resolution: '２K' };
    const { params } = good(T2I, { model: 'gpt-image-2', prompt: 'x', ...lenient });
    expect(params).toEqual({ aspect_ratio: '16:9', output_resolution: '2k' });
  });

  it('defaults are filled in, unknown fields ignored, known ones of other actions warned about', () => {
    const request = good(T2I, { model: 'gpt-image-2', prompt: 'x', output_count: 2, extra: 1 });
    expect(request.params).toEqual({ aspect_ratio: 'auto', output_resolution: '1k' });
    expect(request.outputCount).toBe(1);
    expect(request.warnings.map(({ code }) => code)).toEqual(['ignored_field']);
  });
});

describe('forbidden combinations of gpt-image-2.5', () => {
  const path = '/api/v1/gpt_image_2_5/text_to_image';
  const base = { model: 'gpt-image-2.5-flare', prompt: 'x' };
  it.each([
    [
      { aspect_ratio: '1:1', output_resolution: '4k' },
      'aspect_ratio',
      'aspect_ratio is not allowed when aspect_ratio is 1:1 and output_resolution is 4k',
    ],
    [
      { aspect_ratio: 'auto', output_resolution: '4K' },
      'aspect_ratio',
      'aspect_ratio is not allowed when aspect_ratio is auto and output_resolution is 4k',
    ],
    [
      { aspect_ratio: 'auto', output_resolution: '2k' },
      'aspect_ratio',
      'aspect_ratio is not allowed when aspect_ratio is auto and output_resolution is 2k',
    ],
    [
      { output_resolution: '4k' },
      'output_resolution',
      'output_resolution is not allowed when aspect_ratio is absent and output_resolution is 4k',
    ],
    [
      { output_resolution: '2k' },
      'output_resolution',
      'output_resolution is not allowed when aspect_ratio is absent and output_resolution is 2k',
    ],
  ])('%j', (change, field, sentence) => {
    expect(errors(path, { ...base, ...change })).toEqual({ [field]: [sentence] });
    const free = { ...change, model: 'gpt-image-2', prompt: 'x' };
    expect(errors('/api/v1/gpt_image_2/text_to_image', free)).toBeNull();
  });

  it('everything else is allowed', () => {
    good(path, { ...base, aspect_ratio: '1:1', output_resolution: '2k' });
    good(path, { ...base, aspect_ratio: '16:9', output_resolution: '4k' });
    good(path, base);
  });
});

describe('sizes', () => {
  it('every cell of gpt-image-2 obeys the rule of the model', () => {
    const table = defaultCatalog.sizes['gpt-image-2']!;
    for (const cells of Object.values(table)) {
      expect(Object.keys(cells)).toHaveLength(15);
      for (const [ratio, [width, height]] of Object.entries(cells)) {
        const [a = 0, b = 0] = ratio.split(':').map(Number);
        expect(width * b).toBe(height * a);
        expect([width % 16, height % 16]).toEqual([0, 0]);
        expect(Math.max(width, height)).toBeLessThanOrEqual(3840);
        expect(width * height).toBeGreaterThanOrEqual(655_360);
        expect(width * height).toBeLessThanOrEqual(8_294_400);
      }
    }
  });

  const request = { service: 'gpt_image_2', model: 'gpt-image-2', outputResolution: '2k' };
  it.each([
    ['3:4', null, 1728, 2304],
    ['auto', null, 2048, 2048],
    ['auto', { width: 1000, height: 750 }, 2304, 1728],
    ['auto', { width: 100, height: 4000 }, 1168, 3504],
    ['16:9', { width: 10, height: 10 }, 2560, 1440],
  ])('%s with source %j', (aspectRatio, source, width, height) => {
    expect(sizeFor(defaultCatalog, { ...request, aspectRatio }, source)).toMatchObject({
      width,
      height,
    });
  });
});

describe('prices', () => {
  const cents = (path: string, body: JsonObject) =>
    quoteFor(defaultCatalog, good(path, { prompt: 'x', source_image_urls: SOURCE, ...body }))
      .amount / 1e6;
  it.each([
    [{ model: 'gpt-image-2' }, 6],
    [{ model: 'gpt-image-2', output_resolution: '1k' }, 6],
    [{ model: 'gpt-image-2', output_resolution: '2k' }, 10],
    [{ model: 'gpt-image-2', output_resolution: '4k' }, 16],
    [{ model: 'gpt-image-2.5-flare' }, 6],
    [{ model: 'gpt-image-2.5-flare', output_resolution: '4k', aspect_ratio: '16:9' }, 16],
    [{ model: 'gpt-image-1.5', aspect_ratio: '1:1', quality: 'medium' }, 4],
    [{ model: 'gpt-image-1.5', aspect_ratio: '1:1', quality: 'high' }, 22],
    [{ model: 'gpt-4o-image', aspect_ratio: '1:1' }, 6],
    [{ model: 'gpt-4o-image', aspect_ratio: '1:1', output_count: 2 }, 7],
    [{ model: 'gpt-4o-image', aspect_ratio: '1:1', output_count: 4 }, 8],
  ])('%j costs %d cents on both actions', (body, expected) => {
    expect(cents(T2I, body)).toBe(expected);
    expect(cents(EDIT, body)).toBe(expected);
  });

  it('k of n cost the largest listed count that was delivered; nothing costs nothing', () => {
    const body = { model: 'gpt-4o-image', prompt: 'x', aspect_ratio: '1:1', output_count: 4 };
    const quote = quoteFor(defaultCatalog, good(T2I, body));
    expect([0, 1, 2, 3, 4].map((k) => chargeFor(quote, k) / 1e6)).toEqual([0, 6, 7, 7, 8]);
  });
});

describe('the fingerprint', () => {
  it('does not depend on the order of fields, nulls, blanks, or - and _ in the path', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (fields) => {
        const body = fields as JsonObject;
        const same = { x: null, y: ' ', ...Object.fromEntries(Object.entries(body).reverse()) };
        if ('x' in body || 'y' in body) return;
        expect(requestFingerprint('/api/v1/gpt-image-2/edit-image', same)).toBe(
          requestFingerprint('/api/v1/gpt_image_2/edit_image', body),
        );
      }),
    );
  });

  it('tells routes and lenient spellings apart', () => {
    const print = (path: string, body: JsonObject) => requestFingerprint(path, body);
    expect(print('/v1/text_to_image', {})).not.toBe(print('/v1/edit_image', {}));
    expect(print('/v1/x', { a: '2K' })).not.toBe(print('/v1/x', { a: '2k' }));
  });
});

it('nothing that JSON can say breaks the reader', () => {
  const names = [
    'model',
    'prompt',
    'aspect_ratio',
    'source_image_urls',
    'output_count',
    '__proto__',
    'constructor',
  ];
  const body = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), fc.jsonValue());
  fc.assert(
    fc.property(
      fc.constantFrom(T2I, EDIT, '/api/v1/gpt_4o_image/text_to_image'),
      body,
      (path, value) => {
        const result = read(path, value as JsonObject);
        expect(typeof result.ok).toBe('boolean');
      },
    ),
    { numRuns: 500 },
  );
});
