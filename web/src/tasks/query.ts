import type { Task, TaskFilter, TaskState } from '../api';

/** What the list of tasks is about, as it is written into the box: `state:failed flow:"Deploy it" by:ann name`. */
export interface TaskQuery {
  state?: TaskState;
  /** The id or the name of a flow. */
  flow?: string;
  /** Who made it; `@me` is the viewer. */
  by?: string;
  /** Who started it; `@me` is the viewer. */
  executor?: string;
  /** Only tasks in which a person has to do something. */
  waiting?: true;
  /** Only tasks under way that take longer than such tasks usually do. */
  slow?: true;
  /** A part of the name. */
  text: string;
}

/** Something in the box that means nothing. */
export interface QueryFault {
  word: string;
  kind: 'state' | 'is' | 'flow';
}

export const stateWords: Record<TaskState, string> = {
  CREATED: 'created',
  RUNNING: 'running',
  SUSPENDED: 'paused',
  NODE_SUSPENDED: 'node-paused',
  FAILED: 'failed',
  FINISHED: 'finished',
  REVOKED: 'revoked',
};

/** Splits at spaces outside of quotes. */
function words(text: string): string[] {
  return text.match(/(?:"[^"]*"?|[^\s"])+/g) ?? [];
}

function unquoted(word: string): string {
  return word.replaceAll('"', '');
}

/** Reads the box. What it does not understand it leaves out and names. */
export function parseQuery(text: string): { query: TaskQuery; faults: QueryFault[] } {
  const query: TaskQuery = { text: '' };
  const faults: QueryFault[] = [];
  const rest: string[] = [];
  for (const word of words(text)) {
    const [, field, quoted] = /^([A-Za-z]+):(.*)$/.exec(word) ?? [];
    if (field === undefined || quoted === undefined) {
      rest.push(unquoted(word));
      continue;
    }
    const value = unquoted(quoted);
    if (value === '') continue; // is just being typed
    switch (field.toLowerCase()) {
      case 'state': {
        const state = stateOf(value);
        if (state) query.state = state;
        else faults.push({ word, kind: 'state' });
        break;
      }
      case 'flow':
        query.flow = value;
        break;
      case 'by':
        query.by = value;
        break;
      case 'executor':
        query.executor = value;
        break;
      case 'is':
        if (value.toLowerCase() === 'waiting') query.waiting = true;
        else if (value.toLowerCase() === 'slow') query.slow = true;
        else faults.push({ word, kind: 'is' });
        break;
      default:
        // Names of tasks may have colons.
        rest.push(unquoted(word));
    }
  }
  query.text = rest.join(' ');
  return { query, faults };
}

function stateOf(value: string): TaskState | undefined {
  const wanted = value.toLowerCase().replaceAll('_', '-');
  const found = Object.entries(stateWords).find(
    ([state, word]) => word === wanted || state.toLowerCase().replaceAll('_', '-') === wanted,
  );
  return found?.[0] as TaskState | undefined;
}

function quote(value: string): string {
  return /[\s"]/.test(value) ? `"${value.replaceAll('"', '')}"` : value;
}

/** Writes a query as the box has it. */
export function printQuery(query: TaskQuery): string {
  const parts: string[] = [];
  if (query.waiting) parts.push('is:waiting');
  if (query.slow) parts.push('is:slow');
  if (query.state) parts.push(`state:${stateWords[query.state]}`);
  if (query.flow) parts.push(`flow:${quote(query.flow)}`);
  if (query.by) parts.push(`by:${quote(query.by)}`);
  if (query.executor) parts.push(`executor:${quote(query.executor)}`);
  if (query.text) parts.push(query.text);
  return parts.join(' ');
}

/** From when on tasks are shown. */
export type Range = 'today' | '1d' | '7d' | '30d' | 'all';

export const ranges: readonly Range[] = ['today', '1d', '7d', '30d', 'all'];

export const usualRange: Range = '7d';

const days: Record<Exclude<Range, 'today' | 'all'>, number> = { '1d': 1, '7d': 7, '30d': 30 };

/** The moment at which a range begins; today begins at midnight where the viewer is. */
export function rangeStart(range: Range, now: number): string | undefined {
  if (range === 'all') return undefined;
  if (range === 'today') return new Date(new Date(now).setHours(0, 0, 0, 0)).toISOString();
  return new Date(now - days[range] * 86_400_000).toISOString();
}

/** Views that are there for everybody. */
export const views = [
  { key: 'mine', query: 'by:@me', range: '7d' },
  { key: 'needsMe', query: 'is:waiting executor:@me', range: '30d' },
  { key: 'waiting', query: 'is:waiting', range: '30d' },
  { key: 'failedToday', query: 'state:failed', range: 'today' },
  { key: 'running', query: 'state:running', range: 'all' },
  { key: 'slow', query: 'is:slow', range: 'all' },
] as const satisfies readonly { key: string; query: string; range: Range }[];

/** The filter of the server that a query means. A flow of which there is none is a fault. */
export function filterOf(
  query: TaskQuery,
  me: string,
  flows: ReadonlyMap<number, string>,
): { filter: Omit<TaskFilter, 'created_from' | 'created_to'>; fault?: QueryFault } {
  const person = (name: string | undefined) => (name === '@me' ? me : name);
  const filter: TaskFilter = {
    keyword: query.text || undefined,
    creator: person(query.by),
    executor: person(query.executor),
  };
  if (query.flow === undefined) return { filter };
  const flow = flowOf(query.flow, flows);
  if (flow === undefined) return { filter, fault: { word: `flow:${quote(query.flow)}`, kind: 'flow' } };
  return { filter: { ...filter, flow } };
}

// The whole name counts before a part of it; of several with the part the newest.
function flowOf(wanted: string, flows: ReadonlyMap<number, string>): number | undefined {
  if (/^\d{1,15}$/.test(wanted)) return Number(wanted);
  const lower = wanted.toLowerCase();
  const all = [...flows].toSorted(([a], [b]) => b - a);
  const found =
    all.find(([, name]) => name.toLowerCase() === lower) ?? all.find(([, name]) => name.toLowerCase().includes(lower));
  return found?.[0];
}

/** Whether nothing goes on in a task until a person does something. */
export function waitsForPerson(task: Task): boolean {
  return task.run?.phase === 'waiting_human' || task.run?.phase === 'blocked';
}
