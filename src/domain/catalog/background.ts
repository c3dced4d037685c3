// Whether a prompt asks for a transparent background. The field has no name of its own (contract §1.8), so
// words decide; glass may be transparent without it, and "no transparent background" is a no.

const ASKS: readonly RegExp[] = [
  /\b(?:transparent|see-through|clear alpha|alpha) (?:png |webp )?(?:background|backdrop|bg|canvas)\b/g,
  /\bbackground(?: is| should be| must be|:| =)? (?:fully |completely |entirely )?transparent\b/g,
  /\b(?:transparent|alpha) (?:png|webp|cut-?out)\b/g,
  /\b(?:png|webp|image|picture|sticker|logo|icon|cut-?out) with (?:an? )?(?:transparency|alpha(?: channel)?)\b/g,
  /\bbackground[- ]?less\b/g,
  /\bremove (?:the |its |this |all )?(?:image )?(?:background|backdrop|bg)\b/g,
  /\b(?:cut|knock) (?:it |out |the \w+ )*out (?:of|from) (?:the |its )?background\b/g,
  /\b(?:without|no|zero) (?:any |a )?(?:background|backdrop)\b/g,
  /\b(?:isolated|cut-?out) on (?:a )?transparen(?:t|cy)\b/g,
  /\bon transparen(?:t|cy)(?! ?(?:glass|plastic|acrylic|film|paper|surface|table|sheet))\b/g,
  /透明(?:的|な)?(?:背景|底|背板|底圖|底图|バック)/g,
  /(?:背景|底色|底)(?:是|為|为|要|設為|设为|改成|改為|变成|變成|を|は|が)?(?:完全)?(?:透明|透過|透过)/g,
  /透過(?:背景|png|画像)/g,
  /(?:去背|去底|退地|摳圖|抠图|去除背景|去掉背景|移除背景|刪除背景|删除背景|去背景|無背景|无背景|沒有背景|没有背景|不要背景)/g,
  /背景(?:を)?(?:透明|透過|削除|消して|なし|除去)/g,
];

/** Words right before an ask that turn it around. */
const REFUSES_BEFORE =
  /(?:\b(?:not|no|non|never|without|avoid|isn't|don't|do not|does not|doesn't|must not|shouldn't|instead of|rather than)\b(?: (?:use|want|make|have|need|be|give|it|me|an?|any|the|with|remove|put|fully|completely))*[ -]*|(?:不要|不是|不用|不需要|不需|不想要|别|別|勿|非|無需|无需|避免|不得|请勿|請勿|不能|不可)(?:使用|用|有|做成|是|要|把|將|将)?)$/;

/** And right after it, in languages that negate at the end. */
const REFUSES_AFTER =
  /^(?:の?(?:は|では|に|を)?(?:しない|なし(?!に)|不要|ではない|じゃない|にしない|いらない))/;

const CONTEXT = 48;

/** Linear in the prompt's length; quoted words count as words to letter, not as wishes. */
export function readBackground(prompt: string): 'transparent' | 'opaque' {
  const text = prompt
    .normalize('NFKC')
    .toLowerCase()
    .replace(/["“「『][^"”」』]{0,200}["”」』]/g, ' ')
    .replace(/\s+/g, ' ');
  for (const pattern of ASKS) {
    for (const match of text.matchAll(pattern)) {
      const before = text.slice(Math.max(0, match.index - CONTEXT), match.index);
      const end = match.index + match[0].length;
      const after = text.slice(end, end + CONTEXT);
      if (!REFUSES_BEFORE.test(before) && !REFUSES_AFTER.test(after)) return 'transparent';
    }
  }
  return 'opaque';
}
