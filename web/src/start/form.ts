import type { ApiError, FlowDetail, Json } from '../api';

/** How a constant is filled in. */
export type Control =
  | 'text'
  | 'area'
  | 'int'
  | 'datetime'
  | 'date'
  | 'time'
  | 'password'
  | 'choice'
  | 'choices'
  | 'json';

export interface FormField {
  key: string;
  label: string;
  description: string;
  control: Control;
  /** What the field holds at first: its default; several choices are joined by commas. */
  initial: string;
  options: readonly { value: string; text: string }[];
  /** A regular expression that the value has to match. */
  pattern: string;
  /** Whether it is meant to be filled in. */
  shown: boolean;
}

export type FaultKind = 'int' | 'json' | 'pattern';

type Dict = { [key: string]: Json };

function dict(value: Json | undefined): Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** The fields for the constants of a flow, in the order of the flow. What its form says stands in its tree. */
export function fieldsOf(flow: FlowDetail): FormField[] {
  const inTree = dict(dict(flow.tree).constants);
  const place = (key: string) => {
    const index = dict(inTree[key]).index;
    return typeof index === 'number' ? index : Number.MAX_SAFE_INTEGER;
  };
  return flow.constants
    .map((c) => {
      const more = dict(inTree[c.key]);
      const form = more.is_meta === true ? dict(c.value) : {};
      const options = optionsOf(form);
      const value = options.length > 0 ? defaultOf(form) : c.value;
      const control = options.length > 0 ? choice(form) : controlOf(c.kind ?? '', value);
      return {
        key: c.key,
        label: c.name || c.key,
        description: text(more.desc),
        control,
        initial: initialOf(control, value),
        options,
        pattern: text(more.validation),
        shown: c.shown,
      };
    })
    .toSorted((a, b) => place(a.key) - place(b.key));
}

function optionsOf(form: Dict): FormField['options'] {
  let items = form.items_text;
  if (typeof items === 'string') {
    try {
      items = JSON.parse(items) as Json;
    } catch {
      return [];
    }
  }
  if (!Array.isArray(items)) return [];
  return items.map(dict).map((o) => ({ value: plain(o.value), text: plain(o.text) || plain(o.value) }));
}

function plain(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

// As the server chooses it for a task that gives no value.
function defaultOf(form: Dict): Json {
  return form.default || form.default_text || '';
}

// The form says "1" where several can be chosen.
function choice(form: Dict): Control {
  return plain(form.type) === '1' ? 'choices' : 'choice';
}

const shapes = {
  datetime: /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/,
  date: /^\d{4}-\d\d-\d\d$/,
  time: /^\d\d:\d\d(:\d\d)?$/,
};

// A default that the control of its kind cannot show is filled in as text.
function controlOf(kind: string, value: Json): Control {
  if (value !== null && typeof value === 'object') return kind === 'password' ? 'password' : 'json';
  if (typeof value === 'boolean') return 'json';
  const held = plain(value);
  switch (kind) {
    case 'textarea':
      return 'area';
    case 'password':
      return 'password';
    case 'int':
      return held === '' || /^-?\d+$/.test(held) ? 'int' : 'text';
    case 'datetime':
    case 'date':
    case 'time':
      return held === '' || shapes[kind].test(held) ? kind : 'text';
    default:
      if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'json';
      return held.includes('\n') ? 'area' : 'text';
  }
}

function initialOf(control: Control, value: Json): string {
  if (control === 'json') return JSON.stringify(value, null, 2);
  if (control === 'password' && typeof value === 'object') return '';
  if (control === 'choices')
    return (Array.isArray(value) ? value.map(plain) : [plain(value)]).filter(Boolean).join(',');
  return plain(value);
}

/** The values that were changed, and what is wrong with them by key. */
export function valuesOf(
  fields: readonly FormField[],
  filled: ReadonlyMap<string, string>,
): { constants: Record<string, Json>; faults: Map<string, FaultKind> } {
  const constants: Record<string, Json> = {};
  const faults = new Map<string, FaultKind>();
  for (const field of fields) {
    const value = filled.get(field.key);
    if (value === undefined || value === field.initial) continue;
    const read = readValue(field, value);
    if ('fault' in read) faults.set(field.key, read.fault);
    else constants[field.key] = read.value;
  }
  return { constants, faults };
}

function readValue(field: FormField, value: string): { value: Json } | { fault: FaultKind } {
  if (!matches(field.pattern, value)) return { fault: 'pattern' };
  switch (field.control) {
    case 'int':
      // A variable of the task may stand in its place.
      if (value.includes('${') || value === '') return { value };
      return /^-?\d{1,15}$/.test(value) ? { value: Number(value) } : { fault: 'int' };
    case 'json':
      try {
        return { value: JSON.parse(value) as Json };
      } catch {
        return { fault: 'json' };
      }
    case 'choices':
      return { value: value === '' ? [] : value.split(',') };
    default:
      return { value };
  }
}

// Expressions of flows are those of Python: one that the browser cannot read is left to people.
function matches(pattern: string, value: string): boolean {
  if (pattern === '' || value.includes('${')) return true;
  try {
    return new RegExp(pattern).test(value);
  } catch {
    return true;
  }
}

/** What of a refusal belongs to which field; `name` is the name of the task. */
export function faultsOf(error: ApiError, fields: readonly FormField[]): Map<string, string> {
  const found = new Map<string, string>();
  const texts = error.faults.length > 0 ? error.faults : [{ location: '', message: error.message }];
  for (const { location = '', message } of texts) {
    const whole = `${location} ${message}`;
    const field = fields.find(
      (f) => whole.includes(f.key) || location.endsWith(`constants.${f.key.replace(/^\$\{|\}$/g, '')}`),
    );
    if (field) found.set(field.key, message);
    else if (/(^|\.)name$/.test(location) || /^name\b/.test(message)) found.set('name', message);
  }
  return found;
}

/** A name for a task of a flow that tells it apart from others. */
export function nameFor(flow: string, now: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${[...flow].slice(0, 100).join('')} ${day} ${two(now.getHours())}:${two(now.getMinutes())}`;
}
