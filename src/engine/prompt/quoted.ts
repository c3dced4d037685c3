// The words a prompt wants to see lettered, exactly as written.

const TEXT_MAX = 80;

/** Pairs of quotation marks; straight single ones only at word borders, so that an apostrophe is none. */
const QUOTES: readonly RegExp[] = [
  /"([^"\n]{1,80})"/g,
  /“([^”\n]{1,80})”/g,
  /「([^」\n]{1,80})」/g,
  /『([^』\n]{1,80})』/g,
  /‘([^’\n]{1,80})’/g,
  /(?<![\p{L}\p{N}])'(?=\S)([^'\n]{1,80})(?<=\S)'(?![\p{L}\p{N}])/gu,
];

const SAYING =
  /\b(?:reads|reading|says|saying|spells|labell?ed|titled|(?:the )?(?:text|words?|lettering|caption|title)(?: to| is| of)?)[:]?\s+((?:[A-Z0-9][A-Z0-9&.'-]*)(?:\s+[A-Z0-9][A-Z0-9&.'-]*){0,7})(?![a-z])/g;

const SAYING_CJK =
  /(?:寫著|写着|寫上|写上|文字是|標題是|标题是|印著|印着)[:：\s]*([^\s,，。、;；"「」『』“”]{1,24})/g;

/** In order of appearance, each once. Inches (5") and apostrophes are no quotation marks. */
export function readQuoted(prompt: string): readonly string[] {
  const text = prompt.slice(0, 8_000).replace(/(\d)"(?=[\s,.)-]|$)/g, '$1 ');
  const found: { at: number; words: string }[] = [];
  for (const pattern of [...QUOTES, SAYING, SAYING_CJK]) {
    for (const match of text.matchAll(pattern)) {
      const words = (match[1] ?? '').trim();
      const isFresh = words !== '' && !found.some((other) => other.words.includes(words));
      if (isFresh) found.push({ at: match.index, words: words.slice(0, TEXT_MAX) });
    }
  }
  return found.sort((a, b) => a.at - b.at).map(({ words }) => words);
}
