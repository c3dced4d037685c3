// The shipped catalogue (contract §3.1–3.5, prices of DESIGN §6, sizes of upstreams §1.10).
import { type Catalog, catalogSchema } from './model.ts';

const RATIOS = [
  '1:1',
  '3:2',
  '2:3',
  '4:3',
  '3:4',
  '5:4',
  '4:5',
  '16:9',
  '9:16',
  '2:1',
  '1:2',
  '3:1',
  '1:3',
  '21:9',
  '9:21',
];

const model = { type: 'string', required: true, description: 'The model to use.' };
const prompt = {
  type: 'string',
  required: true,
  min_length: 1,
  max_length: 32_000,
  description:
    'What the picture shows. Put words that shall be lettered in quotation marks; ask for a transparent background in words.',
};
const aspectRatio = {
  type: 'string',
  enum: ['auto', ...RATIOS],
  default: 'auto',
  description: 'Width to height. auto: 1:1, for edits the ratio nearest to the first source.',
};
const outputResolution = {
  type: 'string',
  enum: ['1k', '2k', '4k'],
  default: '1k',
  description: 'Size of the picture; decides the price.',
};
const callbackUrl = {
  type: 'url',
  description: 'An http or https URL; stored with the task.',
};
const sources = (max: number, required: boolean) => ({
  type: 'image_url_list',
  required,
  min_items: 1,
  max_items: max,
  description:
    'Pictures to work from: http, https or data URLs of PNG, JPEG or WebP images of at most 50 MB.',
});

const gptImage2Fields = {
  model,
  prompt,
  aspect_ratio: aspectRatio,
  output_resolution: outputResolution,
  callback_url: callbackUrl,
};

/** gpt-image-2.5 has no default ratio: an absent one must stay visible to its rules. */
const forbidden25 = [
  {
    when: { aspect_ratio: { is: '1:1' }, output_resolution: { is: '4k' } },
    forbid: 'aspect_ratio',
  },
  {
    when: { aspect_ratio: { is: 'auto' }, output_resolution: { is: '4k' } },
    forbid: 'aspect_ratio',
  },
  {
    when: { aspect_ratio: { is: 'auto' }, output_resolution: { is: '2k' } },
    forbid: 'aspect_ratio',
  },
  {
    when: { aspect_ratio: 'absent', output_resolution: { is: '4k' } },
    forbid: 'output_resolution',
  },
  {
    when: { aspect_ratio: 'absent', output_resolution: { is: '2k' } },
    forbid: 'output_resolution',
  },
];

const gptImageFields = {
  model,
  prompt,
  aspect_ratio: { ...aspectRatio, enum: ['1:1', '2:3', '3:2'], default: undefined, required: true },
  quality: {
    type: 'string',
    enum: ['medium', 'high'],
    required: true,
    description: 'Effort of the model; decides the price.',
  },
  callback_url: callbackUrl,
};

const byResolution = {
  by: 'output_resolution',
  cents: { '1k': 6, '2k': 10, '4k': 16 },
  default: 6,
};
const by25 = {
  price: byResolution,
  sizes: 'gpt-image-2',
  note: 'The price is ours; the vendor lists none.',
};

const tier = (rows: Record<string, [number, number]>) => ({
  ...rows,
  ...Object.fromEntries(
    Object.entries(rows).map(([ratio, [width, height]]) => [
      ratio.split(':').reverse().join(':'),
      [height, width],
    ]),
  ),
});

/** Throws when the data breaks its own schema. */
export const defaultCatalog: Catalog = catalogSchema.parse({
  services: {
    gpt_image_2: {
      actions: {
        text_to_image: { fields: gptImage2Fields },
        edit_image: { fields: { ...gptImage2Fields, source_image_urls: sources(16, true) } },
      },
      models: {
        'gpt-image-2': {
          aliases: {
            text_to_image: ['gpt-image-2-text-to-image'],
            edit_image: ['gpt-image-2-image-to-image'],
          },
          price: byResolution,
          sizes: 'gpt-image-2',
        },
      },
    },
    gpt_image_2_5: {
      actions: {
        text_to_image: { fields: gptImage2Fields, rules: forbidden25 },
        edit_image: {
          fields: { ...gptImage2Fields, source_image_urls: sources(16, true) },
          rules: forbidden25,
        },
      },
      models: { 'gpt-image-2.5-flare': by25, 'gpt-image-2.5-sunburst': by25 },
    },
    gpt_image: {
      actions: {
        text_to_image: { fields: gptImageFields },
        edit_image: { fields: { ...gptImageFields, source_image_urls: sources(16, true) } },
      },
      models: {
        'gpt-image-1.5': {
          aliases: {
            text_to_image: ['gpt-image-1.5-text-to-image'],
            edit_image: ['gpt-image-1.5-image-to-image'],
          },
          price: { by: 'quality', cents: { medium: 4, high: 22 }, default: 4 },
          sizes: 'gpt-image-1.5',
          ends_on: '2026-12-01',
          successor: 'gpt-image-2',
        },
      },
    },
    gpt_4o_image: {
      edits_by_text_to_image: true,
      actions: {
        text_to_image: {
          fields: {
            model,
            prompt: { ...prompt, required: true, required_unless: 'source_image_urls' },
            aspect_ratio: {
              ...aspectRatio,
              enum: ['1:1', '3:2', '2:3'],
              default: undefined,
              required: true,
            },
            source_image_urls: sources(5, false),
            mask_url: {
              type: 'image_url',
              description:
                'A PNG whose transparent pixels are to be changed; only with source images.',
            },
            output_count: {
              type: 'integer',
              enum: [1, 2, 4],
              default: 1,
              description: 'Number of pictures; decides the price.',
            },
            enable_prompt_expansion: {
              type: 'boolean',
              description: 'Whether the model may rewrite the prompt.',
            },
            callback_url: callbackUrl,
          },
        },
      },
      models: {
        'gpt-4o-image': {
          price: {
            by: 'output_count',
            cents: { '1': 6, '2': 7, '4': 8 },
            default: 6,
            per_request: true,
          },
          sizes: 'gpt-image-1.5',
        },
      },
    },
  },
  sizes: {
    'gpt-image-2': {
      '1k': tier({
        '1:1': [1024, 1024],
        '3:2': [1536, 1024],
        '4:3': [1152, 864],
        '5:4': [1120, 896],
        '16:9': [1280, 720],
        '2:1': [1440, 720],
        '3:1': [1776, 592],
        '21:9': [1568, 672],
      }),
      '2k': tier({
        '1:1': [2048, 2048],
        '3:2': [2496, 1664],
        '4:3': [2304, 1728],
        '5:4': [2240, 1792],
        '16:9': [2560, 1440],
        '2:1': [2880, 1440],
        '3:1': [3504, 1168],
        '21:9': [3024, 1296],
      }),
      '4k': tier({
        '1:1': [2880, 2880],
        '3:2': [3504, 2336],
        '4:3': [3264, 2448],
        '5:4': [3200, 2560],
        '16:9': [3840, 2160],
        '2:1': [3840, 1920],
        '3:1': [3840, 1280],
        '21:9': [3808, 1632],
      }),
    },
    'gpt-image-1.5': { '1k': tier({ '1:1': [1024, 1024], '3:2': [1536, 1024] }) },
  },
});
