import { fold, parseLine, plainStyle, plainText, type Style } from './ansi';

/** The part of a log that is loaded: lines from byte `start` to byte `next`. It is changed in place. */
export class LogText {
  start = 0;
  next = 0;
  /** The last one may go on. */
  lines: string[] = [];
  /** The number of the first line, which falls when older ones come in front: a line keeps its number. */
  first = 0;
  /** UTF-16 units of the longest line. */
  longest = 0;
  #styles: Style[] = [];
  #end: Style = plainStyle;
  #open = false; // the last line has no end yet
  #carriage = false; // it ends with a carriage return, whose line feed may be still to come

  /** Puts what the log goes on with behind the rest. */
  append(text: string, next: number): void {
    if (this.lines.length === 0) this.start = next - bytes(text);
    this.next = next;
    let rest = text;
    if (this.#carriage && rest.startsWith('\n')) rest = rest.slice(1);
    if (text !== '') this.#carriage = text.endsWith('\r');
    if (rest === '') return;
    const pieces = split(rest);
    const ended = pieces.at(-1) === '';
    if (ended) pieces.pop();
    pieces.forEach((piece, i) => {
      if (i === 0 && this.#open) {
        const last = this.lines.length - 1;
        this.#set(last, (this.lines[last] ?? '') + piece);
      } else this.#set(this.lines.length, piece);
    });
    this.#open = !ended;
  }

  #set(index: number, line: string): void {
    const begin = index < this.#styles.length ? (this.#styles[index] as Style) : this.#end;
    this.lines[index] = line;
    this.#styles[index] = begin;
    this.#end = parseLine(line, begin).end;
    if (line.length > this.longest) this.longest = line.length;
  }

  /** Puts what comes before in front; gives how many lines that is. The text ends where the log was begun to be loaded. */
  prepend(text: string, start: number): number {
    if (text === '') return 0;
    const pieces = split(text);
    const whole = pieces.at(-1) === '';
    const tail = pieces.pop() ?? '';
    const old = this.lines;
    if (!whole) old[0] = tail + (old[0] ?? '');
    this.start = start;
    this.first -= pieces.length;
    this.lines = [];
    this.#styles = [];
    this.#end = plainStyle;
    for (const line of pieces) this.#set(this.lines.length, line);
    for (const line of old) this.#set(this.lines.length, line);
    return pieces.length;
  }

  /** The style in which a line begins. */
  style(index: number): Style {
    return this.#styles[index] ?? plainStyle;
  }

  /** The indexes of the lines in which a text is found, whatever the case of letters. */
  search(wanted: string): number[] {
    const want = fold(wanted);
    const found: number[] = [];
    if (want === '') return found;
    for (let i = 0; i < this.lines.length; i++) {
      if (fold(plainText(this.lines[i] as string)).includes(want)) found.push(i);
    }
    return found;
  }
}

// A carriage return alone begins a line too: what it would write over is not hidden.
function split(text: string): string[] {
  return text.split(/\r\n|\n|\r/);
}

const encoder = new TextEncoder();

/** How many bytes a text has as UTF-8. */
export function bytes(text: string): number {
  return encoder.encode(text).length;
}
