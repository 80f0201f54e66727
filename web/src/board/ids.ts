import { paths } from '../app/paths';

/** How many tasks a board shows at most: as many as the server tells of at once. */
export const mostIds = 1000;

/** Longer addresses do not get through everywhere. */
export const longestAddress = 6000;

/** How many of the pieces that were not understood are shown. */
const shownJunk = 12;

/** What was understood of a text. */
export interface Parsed {
  /** In the order of the text, each once, at most mostIds. */
  ids: number[];
  /** How many ids came again. */
  duplicates: number;
  /** How many different ids there were beyond mostIds. */
  over: number;
  /** The first pieces that were not understood, shortened. */
  junk: string[];
  /** How many pieces were not understood. */
  junkCount: number;
}

class Collector {
  readonly #seen = new Set<number>();
  readonly result: Parsed = { ids: [], duplicates: 0, over: 0, junk: [], junkCount: 0 };

  add(id: number): void {
    if (!Number.isSafeInteger(id) || id <= 0) {
      this.junk(String(id));
      return;
    }
    if (this.#seen.has(id)) {
      this.result.duplicates++;
      return;
    }
    this.#seen.add(id);
    if (this.result.ids.length < mostIds) this.result.ids.push(id);
    else this.result.over++;
  }

  junk(piece: string): void {
    this.result.junkCount++;
    if (this.result.junk.length < shownJunk) this.result.junk.push(piece.slice(0, 40));
  }
}

/**
 * Finds the ids of tasks in any text: numbers with anything between them, addresses of pages and calls, and JSON as the
 * APIs answer it.
 */
export function parseIds(text: string): Parsed {
  const to = new Collector();
  const plain = text.normalize('NFKC');
  const whole = json(plain);
  if (whole !== undefined) {
    walk(whole, to);
    return to.result;
  }
  for (const line of plain.split(/\r?\n/)) {
    const value = /^\s*[[{]/.test(line) ? json(line) : undefined;
    if (value !== undefined) walk(value, to);
    else parseLine(line, to);
  }
  return to.result;
}

function json(text: string): unknown {
  if (!/^\s*[[{"]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// Names under which answers and requests carry ids of tasks.
const oneKeys: readonly string[] = ['task_id', 'taskId', 'instance_id', 'task', 'id'];
const listKeys: readonly string[] = ['ids', 'task_ids', 'task_id_list', 'task_ids_list'];
// Where the ids of other things stand.
const otherKeys: readonly string[] = [
  'project',
  'flow',
  'template',
  'business',
  'nodes',
  'children',
  'run',
  'node',
  'parent',
];

function walk(value: unknown, to: Collector): void {
  if (typeof value === 'string') parseLine(value, to);
  else if (typeof value === 'number') to.add(value);
  else if (Array.isArray(value)) for (const item of value) walk(item, to);
  else if (typeof value === 'object' && value !== null) walkObject(value as Record<string, unknown>, to);
}

function walkObject(object: Record<string, unknown>, to: Collector): void {
  // The id of a task stands under one name: what else it says there is the same again, or something else.
  const key = oneKeys.find((k) => digits(object[k]));
  if (key !== undefined) to.add(Number(object[key]));
  for (const [name, inner] of Object.entries(object)) {
    if (otherKeys.includes(name)) continue;
    if (listKeys.includes(name) && Array.isArray(inner)) {
      for (const id of inner) {
        if (digits(id)) to.add(Number(id));
        else to.junk(JSON.stringify(id) ?? '');
      }
    } else if (key === undefined && typeof inner === 'object') walk(inner, to);
  }
}

function digits(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'string' && /^\d{1,16}$/.test(value));
}

const address = /\b[a-z][a-z\d+.-]*:\/\/[^\s"'<>,;,;、]+|(?<=^|\s)\/[\w.-]+\/[^\s"'<>,;,;、]+/gi;
const between = /[\s,;、。|"'`()[\]{}<>#:=&?/\\+*!_-]+/;

function parseLine(line: string, to: Collector): void {
  // An address may hold a list of ids with commas between them.
  let rest = line.replace(/[?&#]ids=([\d,~]|%2C|%7E)+/gi, (list) => {
    for (const id of unpackIds(decode(list.slice(5)))) to.add(id);
    return '?ids=';
  });
  rest = rest.replace(address, (found) => {
    if (found.includes('?ids=')) return ' ';
    const id =
      /[?&](?:instance_id|task_id)=(\d{1,16})\b/.exec(found)?.[1] ??
      /\/tasks\/(\d{1,16})\b/.exec(found)?.[1] ??
      /\/(?:get_task_status|start_task|operate_task|get_task_detail)\/(\d{1,16})\b/.exec(found)?.[1];
    if (id === undefined) to.junk(found);
    else to.add(Number(id));
    return ' ';
  });
  for (const word of rest.split(between)) {
    const piece = word.replace(/\.+$/, '');
    if (piece === '' || /^(ids?|tasks?|task_ids?|instance_id)$/i.test(piece)) continue;
    if (/^\d{1,16}$/.test(piece)) to.add(Number(piece));
    else to.junk(piece);
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Writes ids as they stand in an address: with commas, and runs of neighbours as first~last. */
export function packIds(ids: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < ids.length; ) {
    const first = ids[i] as number;
    let j = i;
    while (ids[j + 1] === (ids[j] as number) + 1) j++;
    if (j - i >= 2) parts.push(`${first}~${ids[j]}`);
    else parts.push(...ids.slice(i, j + 1).map(String));
    i = j + 1;
  }
  return parts.join(',');
}

/** Reads what packIds wrote, or a list of numbers; what is none is left out. */
export function unpackIds(text: string): number[] {
  const ids = new Set<number>();
  for (const part of text.split(',')) {
    const range = /^(\d{1,15})(?:~(\d{1,15}))?$/.exec(part.trim());
    if (!range) continue;
    const first = Number(range[1]);
    const last = Number(range[2] ?? range[1]);
    for (let id = first; id <= last && ids.size < mostIds; id++) if (id > 0) ids.add(id);
  }
  return [...ids];
}

const kept = 'stdops.board.';

/** Names a list of ids that is too long for an address. */
export function setName(ids: readonly number[]): string {
  let a = 0x811c9dc5;
  let b = 0xdeadbeef;
  for (const c of ids.join()) {
    a = Math.imul(a ^ c.charCodeAt(0), 0x01000193) >>> 0;
    b = Math.imul(b ^ c.charCodeAt(0), 0x85ebca6b) >>> 0;
  }
  return a.toString(36) + b.toString(36);
}

/**
 * Gives the address of a board. A list that is too long for one is kept in this browser, under a name that the address
 * has instead.
 */
export function boardPath(project: number, ids: readonly number[]): string {
  const short = `${paths.board(project)}?ids=${packIds(ids)}`;
  if (ids.length === 0) return paths.board(project);
  if (short.length <= longestAddress) return short;
  const name = setName(ids);
  try {
    sessionStorage.setItem(kept + name, packIds(ids));
  } catch {
    return short; // without a place to keep it, the long address is better than none
  }
  return `${paths.board(project)}?set=${name}`;
}

/** What the address of a board asks for. */
export interface Asked {
  ids: number[];
  /** The list is kept in this browser only. */
  local: boolean;
  /** The list was kept in another browser, or is not kept any more. */
  lost: boolean;
}

/** Reads what the address of a board asks for. */
export function askedIds(search: URLSearchParams): Asked {
  const set = search.get('set');
  if (set === null) return { ids: unpackIds(search.get('ids') ?? ''), local: false, lost: false };
  let found: string | null = null;
  try {
    found = /^\w{1,32}$/.test(set) ? sessionStorage.getItem(kept + set) : null;
  } catch {
    // Nothing is kept, then.
  }
  return { ids: unpackIds(found ?? ''), local: found !== null, lost: found === null };
}
