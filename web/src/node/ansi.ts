/** How a piece of a log is to look. Colours are those of terminals from 0 to 15. */
export interface Style {
  fg?: number;
  bg?: number;
  bold?: true;
  dim?: true;
  italic?: true;
  underline?: true;
  strike?: true;
  inverse?: true;
}

/** A piece of a line in one style. */
export interface Run {
  text: string;
  style: Style;
}

export const plainStyle: Style = Object.freeze({});

// What a terminal takes as a command: CSI sequences; texts that end with BEL or ST (OSC, DCS, SOS, PM, APC); two or three
// characters with an escape; and the same as single C1 characters. What ends too early is taken away as far as its
// beginning, so that nothing behind it is hidden.
const command =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /(?:\u001b\[|\u009b)([0-?]*)([ -/]*)([@-~])?|(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])(?:[^\u0007\u001b\u0080-\u009f]*(?:\u0007|\u001b\\|\u009c))?|\u001b[ -/]*[0-~]?/g;

/** Reads a line that begins in a style; `end` is the style of what comes after it. */
export function parseLine(line: string, begin: Style = plainStyle): { runs: Run[]; end: Style } {
  if (!mayHaveCommands(line)) return { runs: line === '' ? [] : [{ text: line, style: begin }], end: begin };
  const runs: Run[] = [];
  let style = begin;
  let from = 0;
  const add = (text: string) => {
    if (text === '') return;
    const last = runs.at(-1);
    if (last?.style === style) last.text += text;
    else runs.push({ text, style });
  };
  for (const hit of line.matchAll(command)) {
    add(line.slice(from, hit.index));
    from = hit.index + hit[0].length;
    if (hit[3] === 'm' && hit[2] === '') style = select(style, hit[1] ?? '');
  }
  add(line.slice(from));
  return { runs, end: style };
}

/** The text of a line without commands. */
export function plainText(line: string): string {
  return mayHaveCommands(line) ? line.replace(command, '') : line;
}

function mayHaveCommands(line: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return /[\u001b\u0090\u0098\u009b\u009d-\u009f]/.test(line);
}

const on: Record<number, keyof Omit<Style, 'fg' | 'bg'>> = {
  1: 'bold',
  2: 'dim',
  3: 'italic',
  4: 'underline',
  7: 'inverse',
  9: 'strike',
};

const off: Record<number, (keyof Style)[]> = {
  21: ['bold'],
  22: ['bold', 'dim'],
  23: ['italic'],
  24: ['underline'],
  27: ['inverse'],
  29: ['strike'],
  39: ['fg'],
  49: ['bg'],
};

// Applies the parameters of a command that selects how characters look.
function select(style: Style, parameters: string): Style {
  if (/[^0-9;:]/.test(parameters)) return style; // of a private kind
  const list = parameters.split(';');
  let next: Style = { ...style };
  for (let i = 0; i < list.length; i++) {
    const [head = '', ...sub] = (list[i] ?? '').split(':');
    const code = Number(head); // an empty one is 0
    const set = on[code];
    if (code === 0) next = {};
    else if (code === 4 && sub[0] === '0') delete next.underline;
    else if (set) next[set] = true;
    else if (off[code]) for (const key of off[code]) delete next[key];
    else if (code >= 30 && code <= 37) next.fg = code - 30;
    else if (code >= 40 && code <= 47) next.bg = code - 40;
    else if (code >= 90 && code <= 97) next.fg = code - 90 + 8;
    else if (code >= 100 && code <= 107) next.bg = code - 100 + 8;
    else if (code === 38 || code === 48) {
      const key = code === 38 ? 'fg' : 'bg';
      const rest = sub.length > 0 ? sub : list.slice(i + 1);
      const colour = rest[0] === '5' ? Number(rest[1]) : Number.NaN;
      // Of the greater palettes only what is in the small one.
      if (colour >= 0 && colour < 16) next[key] = colour;
      else delete next[key];
      if (sub.length === 0) i += rest[0] === '5' ? 2 : rest[0] === '2' ? 4 : 1;
    }
  }
  return same(next, style) ? style : next;
}

function same(a: Style, b: Style): boolean {
  return styleClass(a) === styleClass(b);
}

/** The classes of a style. What has a ground of its own has the ink of texts, so that it can always be read. */
export function styleClass(style: Style): string {
  let { fg, bg } = style;
  if (style.inverse) [fg, bg] = [bg, fg ?? 7];
  return [
    bg === undefined ? fg !== undefined && `ansi-f${fg}` : `ansi-b${bg}`,
    style.bold && 'ansi-bold',
    style.dim && 'ansi-dim',
    style.italic && 'ansi-italic',
    style.underline && 'ansi-underline',
    style.strike && 'ansi-strike',
  ]
    .filter(Boolean)
    .join(' ');
}

/** A piece of a line with whether it is part of what is looked for. */
export interface MarkedRun extends Run {
  hit: boolean;
}

/** Marks where a text is found in a line, whatever the case of letters. */
export function mark(runs: readonly Run[], wanted: string): MarkedRun[] {
  if (wanted === '') return runs.map((r) => ({ ...r, hit: false }));
  const spots = find(runs.map((r) => r.text).join(''), wanted);
  const marked: MarkedRun[] = [];
  let at = 0;
  let spot = 0;
  for (const run of runs) {
    let from = 0;
    while (from < run.text.length) {
      const place = at + from;
      while (spot < spots.length && (spots[spot] as number) + wanted.length <= place) spot++;
      const begin = spots[spot] ?? Number.POSITIVE_INFINITY;
      const hit = begin <= place;
      const end = Math.min(run.text.length, (hit ? begin + wanted.length : begin) - at);
      marked.push({ text: run.text.slice(from, end), style: run.style, hit });
      from = end;
    }
    at += run.text.length;
  }
  return marked;
}

/** The places where a text is found, one after the other. */
export function find(text: string, wanted: string): number[] {
  const [low, want] = [fold(text), fold(wanted)];
  const spots: number[] = [];
  if (want === '') return spots;
  for (let at = low.indexOf(want); at >= 0; at = low.indexOf(want, at + want.length)) spots.push(at);
  return spots;
}

/** Small letters, of the same length as the text. */
export function fold(text: string): string {
  const low = text.toLowerCase();
  return low.length === text.length ? low : text.replace(/[A-Z]/g, (c) => c.toLowerCase());
}
