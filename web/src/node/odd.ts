/** A piece of a text: as it stands, or the name of a character that would not be seen or would move others. */
export interface Piece {
  text: string;
  odd?: true;
}

// Control characters but tab and line feed, marks and overrides of direction, joiners and spaces without width, the byte
// order mark, separators of lines, tags, and halves of surrogate pairs.
const odd =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\ud800-\udfff]/gu;

/** Splits a text so that characters which hide or reorder others can be shown by name. */
export function pieces(text: string): Piece[] {
  const all: Piece[] = [];
  let from = 0;
  for (const hit of text.matchAll(odd)) {
    if (hit.index > from) all.push({ text: text.slice(from, hit.index) });
    all.push({ text: nameOf(hit[0]), odd: true });
    from = hit.index + hit[0].length;
  }
  if (from < text.length || all.length === 0) all.push({ text: text.slice(from) });
  return all;
}

/** Whether a text has characters that are shown by name. */
export function hasOdd(text: string): boolean {
  odd.lastIndex = 0;
  return odd.test(text);
}

function nameOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The beginning of a text, of whole characters. */
export function beginning(text: string, length: number): string {
  if (text.length <= length) return text;
  const last = text.charCodeAt(length - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? length - 1 : length);
}
