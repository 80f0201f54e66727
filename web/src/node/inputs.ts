import type { Json } from '../api';

/** What the server shows in place of a secret. */
export const hidden = '******';

/** An input while it is edited: as text, or as JSON. */
export interface InputField {
  id: number;
  key: string;
  text: string;
  json: boolean;
}

/** What is wrong with a field. */
export type InputFault = 'noKey' | 'twice' | 'hidden' | { json: string };

/** Makes fields of inputs: texts as they are, the rest as JSON. */
export function fieldsOf(inputs: { [key: string]: Json }): InputField[] {
  return Object.entries(inputs).map(([key, value], id) => ({ id, key, ...written(value) }));
}

/** A value as it is edited: a text as it is, anything else as JSON. */
export function written(value: Json): { text: string; json: boolean } {
  return typeof value === 'string'
    ? { text: value, json: false }
    : { text: JSON.stringify(value, undefined, 2), json: true };
}

/** Changes between text and JSON; what a text says stays the same where that is possible. */
export function turn(field: InputField): InputField {
  if (!field.json) return { ...field, json: true, text: JSON.stringify(field.text) };
  const parsed = parseJson(field.text);
  return {
    ...field,
    json: false,
    text: 'value' in parsed && typeof parsed.value === 'string' ? parsed.value : field.text,
  };
}

/** Reads JSON; else gives what is wrong with it. */
export function parseJson(text: string): { value: Json } | { wrong: string } {
  try {
    return { value: JSON.parse(text) as Json };
  } catch (e) {
    return { wrong: e instanceof Error ? e.message : String(e) };
  }
}

/** Gives the inputs that the fields say, else what is wrong with which. */
export function readFields(fields: readonly InputField[]): {
  inputs?: { [key: string]: Json };
  faults: Map<number, InputFault>;
} {
  const faults = new Map<number, InputFault>();
  const seen = new Set<string>();
  const entries: [string, Json][] = [];
  for (const field of fields) {
    if (field.key === '') faults.set(field.id, 'noKey');
    else if (seen.has(field.key)) faults.set(field.id, 'twice');
    seen.add(field.key);
    const read = field.json ? parseJson(field.text) : { value: field.text };
    if ('wrong' in read) {
      if (!faults.has(field.id)) faults.set(field.id, { json: read.wrong });
      continue;
    }
    if (holdsHidden(read.value) && !faults.has(field.id)) faults.set(field.id, 'hidden');
    entries.push([field.key, read.value]);
  }
  if (faults.size > 0) return { faults };
  // Not by assignment: a key may be __proto__.
  return { inputs: Object.fromEntries(entries), faults };
}

function holdsHidden(value: Json): boolean {
  if (typeof value === 'string') return value === hidden;
  if (Array.isArray(value)) return value.some(holdsHidden);
  return value !== null && typeof value === 'object' && Object.values(value).some(holdsHidden);
}

/** What changes of one input; a side that is not there has none. */
export interface Change {
  key: string;
  before?: Json;
  after?: Json;
}

/** The inputs that differ, by the order of the new ones, those that go at the end. */
export function changes(before: { [key: string]: Json }, after: { [key: string]: Json }): Change[] {
  const list: Change[] = [];
  for (const [key, value] of Object.entries(after)) {
    if (!Object.hasOwn(before, key)) list.push({ key, after: value });
    else if (!equal(before[key] as Json, value)) list.push({ key, before: before[key] as Json, after: value });
  }
  for (const [key, value] of Object.entries(before)) {
    if (!Object.hasOwn(after, key)) list.push({ key, before: value });
  }
  return list;
}

/** Whether two values are the same, whatever the order of keys. */
export function equal(a: Json, b: Json): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => equal(v, b[i] as Json));
  const [x, y] = [a as { [key: string]: Json }, b as { [key: string]: Json }];
  const keys = Object.keys(x);
  return (
    keys.length === Object.keys(y).length && keys.every((k) => Object.hasOwn(y, k) && equal(x[k] as Json, y[k] as Json))
  );
}

/** A line of a comparison: in both, only before, only after. */
export interface DiffLine {
  sign: ' ' | '-' | '+';
  text: string;
}

/** A value as lines for a comparison. */
export function valueLines(value: Json | undefined): string[] {
  if (value === undefined) return [];
  return (typeof value === 'string' ? value : JSON.stringify(value, undefined, 2)).split('\n');
}

const most = 600; // lines in the middle of which the best comparison is looked for

/** Compares lines. What is the same at both ends is set aside; a middle that is too large goes and comes as a whole. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head++;
  let tail = 0;
  while (
    tail < before.length - head &&
    tail < after.length - head &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  ) {
    tail++;
  }
  const a = before.slice(head, before.length - tail);
  const b = after.slice(head, after.length - tail);
  const same = (text: string): DiffLine => ({ sign: ' ', text });
  return [
    ...before.slice(0, head).map(same),
    ...(a.length > most || b.length > most
      ? [...a.map((text) => ({ sign: '-', text }) as const), ...b.map((text) => ({ sign: '+', text }) as const)]
      : middle(a, b)),
    ...before.slice(before.length - tail).map(same),
  ];
}

function middle(a: readonly string[], b: readonly string[]): DiffLine[] {
  // common[i][j]: the longest sequence that a from i on and b from j on have in common.
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      (common[i] as Uint16Array)[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ sign: ' ', text: a[i] as string });
      i++;
      j++;
    } else if (i < a.length && (j >= b.length || at(i + 1, j) >= at(i, j + 1)))
      lines.push({ sign: '-', text: a[i++] as string });
    else lines.push({ sign: '+', text: b[j++] as string });
  }
  return lines;
}

/** Leaves out what is the same further than `around` lines from a change; `undefined` stands for a gap. */
export function near(lines: readonly DiffLine[], around = 3): (DiffLine | undefined)[] {
  const keep = new Set<number>();
  lines.forEach((line, i) => {
    if (line.sign === ' ') return;
    for (let k = i - around; k <= i + around; k++) keep.add(k);
  });
  const shown: (DiffLine | undefined)[] = [];
  lines.forEach((line, i) => {
    if (keep.has(i)) shown.push(line);
    else if (shown.at(-1) !== undefined || shown.length === 0) shown.push(undefined);
  });
  return shown;
}
