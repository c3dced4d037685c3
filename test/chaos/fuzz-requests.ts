// Requests that no client should send: every route with wrong types, huge values, odd text, broken JSON,
// wrong methods and headers. One seed repeats all of them.
import fc from 'fast-check';
import { TEST_KEY } from '../support/gateway.ts';

export interface FuzzRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | Uint8Array;
}

const UNKNOWN_ID = '01a20ce9-4bef-7cc3-91f5-398e77cbcc2a';

const CREATE_PATHS = [
  '/v1/text_to_image',
  '/v1/edit_image',
  '/api/v1/gpt_image_2/text_to_image',
  '/api/v1/gpt-image-2/edit-image',
  '/api/v1/gpt_image_2_5/text_to_image',
  '/api/v1/gpt_image/edit_image',
  '/api/v1/gpt_4o_image/text_to_image',
];

const ODD_PATHS = [
  '/api/v1/me/balance',
  '/api/v1/constructor/__proto__',
  '/api/v1/gpt_image_2/toString',
  '/outputs/aaaaaaaaaaaaaaaaaaaaaaaaaaa.png',
  '/outputs/partial/0000000000000000000000000000000000000000.png',
  '/v1/tasks?limit=-1',
  '/v1/tasks?limit=1&limit=2',
  '/v1/tasks?after[]=x',
  '/v1/tasks?after=%00&client_request_id=%00',
  '/v1/tasks?client_request_id=%ff',
  '/v1/tasks/%',
  '/v1/tasks/%00',
  '/v1/tasks/%ff%fe',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/outputs/..%2f..%2fgateway.db',
  '/outputs/partial/..%2f..%2fsecret',
  '//x',
  '/?a=%',
  `/v1/tasks/${'9'.repeat(3_000)}`,
  '/v1/tasks/tsk_zzzzzzzzzzzzzzzzzzzzzzzzzz',
];

/** `routes` with `{name}` parts, as the gateway's own document lists them; `ids` of tasks and files that exist. */
export function fuzzRequests(
  routes: readonly string[],
  ids: readonly string[],
): fc.Arbitrary<FuzzRequest> {
  return fc.record({ method, path: pathOf(routes, ids), headers, body });
}

const word = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }).map(encodeURIComponent),
  fc.constantFrom('gpt_image_2', 'gpt-4o-image', 'text_to_image', 'tasks', '-', '..', '%2e', '%'),
);

function pathOf(routes: readonly string[], ids: readonly string[]): fc.Arbitrary<string> {
  const part = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...ids, UNKNOWN_ID) },
    { weight: 1, arbitrary: word },
  );
  const filled = fc
    .tuple(fc.constantFrom(...routes), fc.array(part, { minLength: 3, maxLength: 3 }))
    .map(([route, parts]) => {
      let used = 0;
      return route.replace(/\{\w+\}/g, () => parts[used++] ?? '');
    });
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...CREATE_PATHS) },
    { weight: 4, arbitrary: fc.tuple(filled, query).map(([path, text]) => path + text) },
    { weight: 1, arbitrary: fc.constantFrom(...ODD_PATHS) },
    { weight: 1, arbitrary: fc.webPath().map((text) => `/${text.replace(/^\/+/, '')}`) },
  );
}

const query = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  fc.constantFrom('?wait=0', '?wait=1e9', '?wait=', '?wait=1&wait=2', '?wait[]=1', '?limit=100'),
  fc
    .tuple(
      fc.constantFrom('wait', 'after', 'limit', 'client_request_id'),
      fc.string({ unit: 'grapheme', maxLength: 20 }),
    )
    .map(([name, text]) => `?${name}=${encodeURIComponent(text)}`)
    // A valid wait on a task that never ends would only be slow.
    .filter((text) => !/^\?wait=\d+$/.test(text)),
);

const scalar = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme', maxLength: 30 }),
  fc.string({ maxLength: 5 }),
  fc.constantFrom(
    'auto',
    '1:1',
    '２k',
    '16x9',
    ' ',
    '\u0000',
    '\ud800',
    '\u202e\u0627\u0644',
    'data:,',
    'data:image/png;base64,AAAA',
    'data:image/svg+xml,<svg/>',
    'http://127.0.0.1/',
    'http://[::1]:80/x.png',
    'http://user:secret@example.com/',
    'https://',
    '[[script: outcome=nonsense]]',
    'x'.repeat(40_000),
    '🖼'.repeat(20_000),
  ),
  fc.double(),
  fc.constantFrom(Number.MAX_VALUE, -0, 1e308, 2 ** 53, -1),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.constant(null),
);

const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.array(scalar, { maxLength: 20 }),
  fc.jsonValue(),
);

const model = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      'gpt-image-2',
      'gpt-image-2-text-to-image',
      'gpt-image-2-image-to-image',
      'gpt-4o-image',
      'gpt-image-1.5',
      'gpt-image-2.5-flare',
      '__proto__',
      'constructor',
    ),
  },
  value,
);

const fields = fc.record(
  {
    model,
    prompt: value,
    aspect_ratio: value,
    output_resolution: value,
    quality: value,
    output_count: value,
    source_image_urls: value,
    mask_url: value,
    callback_url: value,
    enable_prompt_expansion: value,
    unknown_field: value,
    __proto__: value,
  },
  { requiredKeys: [] },
);

const body = fc.oneof(
  { weight: 6, arbitrary: fields.map((object) => JSON.stringify(object)) },
  fc.json(),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.uint8Array({ maxLength: 200 }),
  // Good JSON with one byte changed.
  fc.tuple(fields, fc.nat(), fc.integer({ min: 0, max: 255 })).map(([object, at, byte]) => {
    const bytes = Buffer.from(JSON.stringify(object));
    bytes[at % bytes.length] = byte;
    return bytes;
  }),
  fc.constantFrom(
    '',
    '[]',
    'null',
    '{',
    '{"a":1,}',
    '{"prompt":"a","prompt":"b"}',
    '\ufeff{}',
    '['.repeat(5_000),
    `${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`,
    `{"prompt":${'9'.repeat(5_000)}}`,
  ),
);

/** What HTTP allows in a header's value, beyond ASCII included. */
const headerText = fc.uint8Array({ maxLength: 700 }).map((bytes) =>
  Buffer.from(bytes)
    .toString('latin1')
    .replace(/[^\t\x20-\x7e\x80-\xff]/g, ''),
);

const headers = fc
  .record(
    {
      authorization: fc.oneof(
        { weight: 8, arbitrary: fc.constant(`Bearer ${TEST_KEY}`) },
        fc.constantFrom('Bearer', 'Bearer x', 'bearer \t', 'Basic eDp4', ''),
        headerText,
      ),
      'content-type': fc.oneof(
        { weight: 6, arbitrary: fc.constant('application/json') },
        fc.constantFrom(
          'application/json; charset=utf-16',
          'text/plain',
          'x',
          'multipart/form-data',
          'application/x-www-form-urlencoded',
        ),
        headerText,
      ),
      'idempotency-key': headerText,
      'x-client-request-id': headerText,
      'x-api-key': headerText,
      prefer: fc.constantFrom('wait=0', 'wait=x', 'respond-async', 'wait=1'),
      'last-event-id': fc.oneof(fc.constantFrom('1', '-1', '9'.repeat(30)), headerText),
      range: fc.constantFrom('bytes=0-1', 'bytes=9-1', 'bytes=-', 'bytes=0-0,2-3', 'x'),
      'if-none-match': headerText,
      'x-request-id': headerText,
      accept: fc.oneof(fc.constantFrom('text/html', 'text/event-stream', '*/*;q=0'), headerText),
      'accept-encoding': fc.constantFrom('identity;q=0', 'br', 'gzip, deflate'),
      'content-encoding': fc.constantFrom('gzip', 'br', 'x'),
      'x-forwarded-for': headerText,
      cookie: headerText,
    },
    { requiredKeys: ['authorization'] },
  )
  .map((given) => ({ ...given }) as Record<string, string>);

const method = fc.oneof(
  { weight: 7, arbitrary: fc.constant('POST') },
  { weight: 4, arbitrary: fc.constant('GET') },
  fc.constantFrom('HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'PROPFIND'),
);
