// What a scripted upstream does with a request, read from a token in the prompt:
// `[[script: delay=200-800 outcome=try_later,ok outputs=3 bytes=png:64x64 progress=4 partials=1]]`

export const OUTCOMES = [
  'ok',
  // Refusals, by their class.
  'caller',
  'moderation',
  'operator',
  'capability',
  'try_later',
  // Answers that are none: bytes that are no image, half an image, a web page in place of an answer.
  'bad_response',
  'truncated',
  'web_page',
  // Connections: never answered; dropped before or after the create was counted, or after half the images.
  'hang',
  'reset_early',
  'reset',
  'reset_midway',
  // Jobs: never finishes; forgotten by the upstream.
  'lost',
  'forgotten',
] as const;

export type Outcome = (typeof OUTCOMES)[number];

export interface Script {
  delayMs: { min: number; max: number };
  /** By attempt; the last one repeats. */
  outcomes: readonly Outcome[];
  /** How many of the asked outputs are delivered; null: all. */
  outputs: number | null;
  /** Format of the delivered images; null: as asked. */
  format: string | null;
  /** Size of the delivered images; null: as asked. */
  size: { width: number; height: number } | null;
  /** Progress reports and previews on the way. */
  progress: number;
  partials: number;
  retryAfterMs: number | null;
}

const TOKEN = /\[\[script:([^\]]{0,300})\]\]/;
const BYTES = /^(?:([a-z]+):)?(?:(\d{1,5})x(\d{1,5}))?$/;

/** Throws on a token that cannot be read, so that a test with a slip does not pass by accident. */
export function readScript(prompt: string): Script {
  const words = TOKEN.exec(prompt)?.[1]?.trim().split(/\s+/) ?? [];
  const values = new Map(
    words.filter((word) => word !== '').map((word) => word.split('=', 2) as [string, string]),
  );
  const take = (name: string): string | null => {
    const text = values.get(name) ?? null;
    values.delete(name);
    return text;
  };
  const takeNumber = (name: string): number | null => {
    const text = take(name);
    return text === null ? null : readNumber(text);
  };
  const [min = 0, max = min] = (take('delay') ?? '0').split('-').map(readNumber);
  const script: Script = {
    delayMs: { min, max },
    outcomes: (take('outcome') ?? 'ok').split(',').map(readOutcome),
    outputs: takeNumber('outputs'),
    ...readBytes(take('bytes') ?? ''),
    progress: takeNumber('progress') ?? 0,
    partials: takeNumber('partials') ?? 0,
    retryAfterMs: takeNumber('retry_after_ms'),
  };
  const [unknown] = values.keys();
  if (unknown !== undefined) throw new Error(`the script knows no ${unknown}`);
  return script;
}

function readNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`the script's ${text} is no number`);
  return Number(text);
}

function readOutcome(text: string): Outcome {
  const outcome = OUTCOMES.find((known) => known === text);
  if (!outcome) throw new Error(`the script knows no outcome ${text}`);
  return outcome;
}

function readBytes(text: string): Pick<Script, 'format' | 'size'> {
  const found = BYTES.exec(text);
  if (!found) throw new Error(`the script's bytes=${text} is no format:widthxheight`);
  const [, format = null, width, height] = found;
  const size = width && height ? { width: Number(width), height: Number(height) } : null;
  return { format, size };
}
