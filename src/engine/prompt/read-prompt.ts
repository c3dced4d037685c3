// From a prompt to what can be drawn of it, and what cannot. A wrong subject never stands in for a right one.
import { readQuoted } from './quoted.ts';
import {
  COLORS,
  PLAIN_WORDS,
  SETTINGS,
  type Setting,
  SUBJECTS,
  type Subject,
} from './vocabulary.ts';

const PROMPT_MAX = 4_000;
const NOT_DRAWN_MAX = 8;

export interface Reading {
  /** To be lettered, exactly. */
  texts: readonly string[];
  subject: Subject | null;
  setting: Setting | null;
  /** Linear light; null: none was named. */
  color: readonly [number, number, number] | null;
  ground: 'marble' | 'wood';
  /** Words of the prompt that nothing was drawn for. */
  notDrawn: readonly string[];
}

export function readPrompt(prompt: string): Reading {
  const texts = readQuoted(prompt);
  const rest = withoutTexts(prompt.slice(0, PROMPT_MAX), texts).normalize('NFKC').toLowerCase();
  const subject = firstOf(rest, SUBJECTS);
  const setting = firstOf(rest, SETTINGS);
  return {
    texts,
    subject,
    setting,
    color: COLORS.find(([words]) => words.some((word) => positionOf(rest, word) >= 0))?.[1] ?? null,
    ground: positionOf(rest, 'wood') >= 0 || /wooden|木/.test(rest) ? 'wood' : 'marble',
    notDrawn: wordsNotDrawn(rest),
  };
}

/** Lettered words are type, not things. */
function withoutTexts(prompt: string, texts: readonly string[]): string {
  return texts.reduce((left, text) => left.replaceAll(text, ' '), prompt);
}

/** The name whose word comes first in the prompt. */
function firstOf<Name extends string>(
  text: string,
  names: Readonly<Record<Name, readonly string[]>>,
): Name | null {
  let best: { name: Name; at: number } | null = null;
  for (const name of Object.keys(names) as Name[]) {
    for (const word of names[name]) {
      const at = positionOf(text, word);
      if (at >= 0 && (best === null || at < best.at)) best = { name, at };
    }
  }
  return best?.name ?? null;
}

const patterns = new Map<string, RegExp>();

/** Where the word stands, -1 where it does not. Latin words need borders. */
export function positionOf(text: string, word: string): number {
  if (!/^[a-z ]+$/.test(word)) return text.indexOf(word);
  let pattern = patterns.get(word);
  if (!pattern) {
    pattern = new RegExp(`(?<![a-z])${word}(?![a-z])`);
    patterns.set(word, pattern);
  }
  return text.search(pattern);
}

const KNOWN = new Set([
  ...Object.values(SUBJECTS).flat(),
  ...Object.values(SETTINGS).flat(),
  ...COLORS.flatMap(([words]) => words),
]);

function wordsNotDrawn(text: string): string[] {
  const words = text.match(/[a-z]{3,}/g) ?? [];
  const missed = words.filter((word) => !PLAIN_WORDS.has(word) && !KNOWN.has(word));
  return [...new Set(missed)].slice(0, NOT_DRAWN_MAX);
}
