// A script as a list of messages with the moment each is due: both forms of the upstream tell the same story.
import type { Outcome, Script } from './script.ts';
import type { CreateMessage, Message } from './wire.ts';

export interface Due {
  atMs: number;
  message: Message;
}

export type MakeImage = (format: string, width: number, height: number) => Promise<Uint8Array>;

const PREVIEW_PIXELS = 64;
const CLASSES = ['caller', 'moderation', 'operator', 'capability', 'try_later'] as const;
type ClassOutcome = (typeof CLASSES)[number];

/** Everything that will be said about a create, in order. `delayMs`: when it is over. */
export async function planMessages(
  create: CreateMessage,
  script: Script,
  outcome: Outcome,
  delayMs: number,
  makeImage: MakeImage,
): Promise<readonly Due[]> {
  const due: Due[] = [];
  const spread = (count: number, messageOf: (index: number) => Message) => {
    for (let i = 0; i < count; i += 1) {
      due.push({ atMs: (delayMs * (i + 1)) / (count + 1), message: messageOf(i) });
    }
  };
  spread(script.progress, (i) => ({
    kind: 'progress',
    fraction: (i + 1) / (script.progress + 1),
  }));
  if (script.partials > 0) {
    const preview = await makeImage('png', PREVIEW_PIXELS, PREVIEW_PIXELS);
    const b64 = Buffer.from(preview).toString('base64');
    spread(script.partials, () => ({ kind: 'partial', index: 0, b64 }));
  }
  due.sort((a, b) => a.atMs - b.atMs);
  const last = await planEnd(create, script, outcome, makeImage);
  // Images arrive one after the other, the last one at the end of the delay.
  const count = Math.max(1, last.length - 1);
  for (const [index, message] of last.entries()) {
    due.push({ atMs: (delayMs * Math.min(count, index + 1)) / count, message });
  }
  return due.sort((a, b) => a.atMs - b.atMs);
}

async function planEnd(
  create: CreateMessage,
  script: Script,
  outcome: Outcome,
  makeImage: MakeImage,
): Promise<Message[]> {
  if (isClass(outcome)) {
    const message = `Scripted: ${outcome}.`;
    return [{ kind: 'failed', class: outcome, message, retryAfterMs: script.retryAfterMs }];
  }
  const { width, height } = script.size ?? create;
  const image = Buffer.from(await makeImage(script.format ?? create.format, width, height));
  const b64 = spoil(image, outcome).toString('base64');
  const delivered = create.missing.slice(0, script.outputs ?? create.missing.length);
  return [
    ...delivered.map((index): Message => ({ kind: 'image', index, b64 })),
    { kind: 'done' } as const,
  ];
}

function isClass(outcome: Outcome): outcome is ClassOutcome {
  return CLASSES.some((name) => name === outcome);
}

function spoil(image: Buffer, outcome: Outcome): Buffer {
  if (outcome === 'bad_response') return Buffer.from('these bytes are no image');
  return outcome === 'truncated' ? image.subarray(0, image.length / 2) : image;
}
