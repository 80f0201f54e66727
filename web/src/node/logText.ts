import type { LogTime } from '../api';
import { parseLine, plainStyle, type Style } from './ansi';

/** The part of a log that is loaded: lines from byte `start` to byte `next`. It is changed in place. */
export class LogText {
  start = 0;
  next = 0;
  /** The last one may go on. */
  lines: string[] = [];
  /** The numbers of these in the log, as everybody counts: by line feeds. */
  numbers: number[] = [];
  /** The number of the first line, which falls when older ones come in front: a line keeps its number. */
  first = 0;
  /** UTF-16 units of the longest line. */
  longest = 0;
  #begins: number[] = []; // bytes
  #times: LogTime[] = [];
  #styles: Style[] = [];
  #end: Style = plainStyle;
  #number = 1; // of the line that comes next
  #open = false; // the last line has no end yet
  #carriage = false; // it ends with a carriage return, whose line feed may be still to come

  /** Puts what the log goes on with behind the rest. `line` is the number of the line in which a first text begins. */
  append(text: string, next: number, line = 1): void {
    if (this.lines.length === 0) {
      this.start = next - bytes(text);
      this.#number = line;
    }
    this.next = next;
    let rest = text;
    let place = next - bytes(text);
    if (this.#carriage && rest.startsWith('\n')) {
      rest = rest.slice(1);
      place++;
      this.#number++;
    }
    if (text !== '') this.#carriage = text.endsWith('\r');
    if (rest === '') return;
    const pieces = rest.split(lineEnd);
    for (let i = 0; i < pieces.length; i += 2) {
      const piece = pieces[i] as string;
      const end = pieces[i + 1];
      if (end === undefined && piece === '') break; // the text ended with its last line
      const last = this.lines.length - 1;
      if (i === 0 && this.#open) this.#set(last, (this.lines[last] ?? '') + piece, this.numbers[last] as number);
      else {
        this.#begins.push(place);
        this.#set(this.lines.length, piece, this.#number);
      }
      place += bytes(piece) + (end?.length ?? 0);
      this.#open = end === undefined;
      if (end?.endsWith('\n')) this.#number++;
    }
  }

  #set(index: number, line: string, number: number): void {
    const begin = index < this.#styles.length ? (this.#styles[index] as Style) : this.#end;
    this.lines[index] = line;
    this.numbers[index] = number;
    this.#styles[index] = begin;
    this.#end = parseLine(line, begin).end;
    if (line.length > this.longest) this.longest = line.length;
  }

  /** Puts what comes before in front; gives how many lines that is. The text ends where the log was begun to be loaded. */
  prepend(text: string, start: number): number {
    if (text === '') return 0;
    const pieces = text.split(lineEnd);
    const whole = pieces.at(-1) === '';
    const tail = pieces.pop() ?? '';
    const [old, numbers, begins] = [this.lines, this.numbers, this.#begins];
    if (!whole) {
      old[0] = tail + (old[0] ?? '');
      begins[0] = start + bytes(text) - bytes(tail);
    }
    let number = (numbers[0] ?? this.#number) - pieces.filter((p) => p.endsWith('\n')).length;
    this.start = start;
    this.lines = [];
    this.numbers = [];
    this.#begins = [];
    this.#styles = [];
    this.#end = plainStyle;
    let place = start;
    for (let i = 0; i < pieces.length; i += 2) {
      this.#begins.push(place);
      place += bytes(pieces[i] as string) + (pieces[i + 1]?.length ?? 0);
      this.#set(this.lines.length, pieces[i] as string, number);
      if (pieces[i + 1]?.endsWith('\n')) number++;
    }
    const added = this.lines.length;
    this.first -= added;
    this.#begins = this.#begins.concat(begins);
    for (const [i, line] of old.entries()) this.#set(this.lines.length, line, numbers[i] ?? number);
    return added;
  }

  /** Takes up when a part was written that is, or will be, loaded from byte `from` on. */
  mark(from: number, times: readonly LogTime[] = []): void {
    const known = (times[0]?.from ?? Number.POSITIVE_INFINITY) <= from;
    const news = known ? times : [{ from }, ...times];
    const at = (news[0] as LogTime).from;
    const last = news.at(-1) as LogTime;
    const before = this.#times.filter((t) => t.from < at);
    this.#times = [...before, ...news, ...this.#times.filter((t) => t.from > last.from)];
  }

  /** When a line was written, as far as that is known. */
  time(index: number): string | undefined {
    const place = this.#begins[index] ?? -1;
    let [low, high] = [0, this.#times.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#times[middle] as LogTime).from <= place) low = middle + 1;
      else high = middle;
    }
    return this.#times[low - 1]?.at;
  }

  /** When the first and the last line were written of which that is known. */
  get times(): string[] {
    const known = (t: LogTime) => t.at !== undefined;
    return [this.#times.find(known)?.at, this.#times.findLast(known)?.at].filter((at) => at !== undefined);
  }

  /** The index of the first row of a line that is loaded from its beginning on, -1 of another. */
  indexOf(line: number): number {
    let [low, high] = [0, this.numbers.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.numbers[middle] as number) < line) low = middle + 1;
      else high = middle;
    }
    return this.numbers[low] === line ? low : -1;
  }

  /** The style in which a line begins. */
  style(index: number): Style {
    return this.#styles[index] ?? plainStyle;
  }
}

// A carriage return alone begins a row too: what it would write over is not hidden. It has the number of its line.
const lineEnd = /(\r\n|\n|\r)/;

const encoder = new TextEncoder();

/** How many bytes a text has as UTF-8. */
export function bytes(text: string): number {
  return encoder.encode(text).length;
}
