// Where a text stops being JSON. V8's own message names no position for short texts.

const TOKEN =
  /\s*(?:([{}[\],:])|("(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null))/uy;

type Expected = 'value' | 'value or ]' | 'key' | 'key or }' | ':' | ', or end' | 'nothing';

/** Index of the first character that no JSON has there; the length when it ends too early. */
export function findJsonMistake(text: string): number {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  let at = 0;
  for (;;) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (!match) return skipSpace(text, at);
    const start = TOKEN.lastIndex - (match[0]?.trimStart().length ?? 0);
    const [, mark, string] = match;
    const next = step(expected, mark, string !== undefined, open);
    if (next === null) return start;
    expected = next;
    at = TOKEN.lastIndex;
  }
}

/** What may come after this token; null: the token may not be here. */
function step(
  expected: Expected,
  mark: string | undefined,
  isString: boolean,
  open: ('{' | '[')[],
): Expected | null {
  const after = (): Expected => (open.length === 0 ? 'nothing' : ', or end');
  const takesValue = expected === 'value' || expected === 'value or ]';
  if (mark === undefined) {
    if (takesValue) return after();
    return isString && expected.startsWith('key') ? ':' : null;
  }
  if (mark === '{' || mark === '[') {
    if (!takesValue) return null;
    open.push(mark);
    return mark === '{' ? 'key or }' : 'value or ]';
  }
  const inside = open.at(-1);
  if (mark === ':') return expected === ':' ? 'value' : null;
  if (mark === ',') {
    if (expected !== ', or end') return null;
    return inside === '{' ? 'key' : 'value';
  }
  const mayClose =
    mark === '}'
      ? inside === '{' && (expected === 'key or }' || expected === ', or end')
      : inside === '[' && (expected === 'value or ]' || expected === ', or end');
  if (!mayClose) return null;
  open.pop();
  return after();
}

function skipSpace(text: string, from: number): number {
  const rest = /\S/g;
  rest.lastIndex = from;
  const index = rest.exec(text)?.index ?? text.length;
  if (text[index] !== '"') return index;
  // A string that does not end well: the mistake is what broke it.
  const good = /"(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/uy;
  good.lastIndex = index;
  good.test(text);
  return good.lastIndex;
}
