import { type NodeRef, type Task, type TaskState, taskStates } from '../api/types';
import { taskWhy } from '../ui';

/** A task of the board, with what the screen needs of it each time made once. */
export interface Item {
  task: Task;
  /** The name, without what would disturb the text around it, and not endless. */
  name: string;
  /** The name as it is searched. */
  folded: string;
  /** When it changed while it was watched; 0 when it did not. */
  changed: number;
}

/** A node that failed in some tasks of one tree. */
export interface Failing {
  key: string;
  tree: string;
  index: number;
  name: string;
  /** The tasks, each with the id that the node has there. */
  tasks: ReadonlyMap<number, string>;
}

/** How many tasks changed in a slice of time. */
export interface Slice {
  at: number;
  count: number;
}

/** Why an id has no row: it was never seen, or was there and is not any more. */
export type Absence = 'unknown' | 'gone';

/** All that a board knows. It is never changed: each piece of news makes a new one that shares what stayed. */
export interface Board {
  ids: readonly number[];
  tasks: ReadonlyMap<number, Item>;
  absent: ReadonlyMap<number, Absence>;
  /** How many tasks are in each state. */
  counts: Readonly<Record<TaskState, number>>;
  /** How many tasks share each tree. */
  trees: ReadonlyMap<string, number>;
  /** How many tasks have something wrong with them. */
  problems: number;
  failing: ReadonlyMap<string, Failing>;
  done: number;
  total: number;
  /** Slices of time in which tasks changed, oldest first. */
  slices: readonly Slice[];
  /** When a task changed last, 0 when none has. */
  changed: number;
}

/** What a watch told. */
export interface News {
  tasks?: readonly Task[];
  gone?: readonly number[];
}

/** The length of a slice of time, in milliseconds. */
export const sliceLength = 10_000;
/** How many slices are kept. */
export const sliceCount = 30;

const longestName = 200;

// Marks that turn the direction of a text around, and control characters.
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const disturbing = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Makes a name that stays in its place whatever is in it. */
export function cleanName(name: string): string {
  const clean = name
    .slice(0, 4 * longestName)
    .replace(disturbing, ' ')
    .trim();
  return clean.length > longestName ? `${clean.slice(0, longestName)}…` : clean;
}

/** Gives the board of some ids of which nothing is known yet. */
export function emptyBoard(ids: readonly number[]): Board {
  return {
    ids,
    tasks: new Map(),
    absent: new Map(),
    counts: Object.fromEntries(taskStates.map((s) => [s, 0])) as Record<TaskState, number>,
    trees: new Map(),
    problems: 0,
    failing: new Map(),
    done: 0,
    total: 0,
    slices: [],
    changed: 0,
  };
}

export function failingKey(tree: string, index: number): string {
  return `${tree}/${index}`;
}

/** Takes up what a watch told, in order, at a moment. Gives the same board when none of it is new. */
export function takeUp(board: Board, news: readonly News[], now: number): Board {
  const next = new Draft(board);
  for (const { tasks, gone } of news) {
    for (const task of tasks ?? []) next.task(task, now);
    for (const id of gone ?? []) next.gone(id);
  }
  return next.finish(now);
}

// A board while it is being made: what is changed is copied first, once.
class Draft {
  readonly #from: Board;
  readonly #wanted: ReadonlySet<number>;
  #tasks: Map<number, Item> | undefined;
  #absent: Map<number, Absence> | undefined;
  #trees: Map<string, number> | undefined;
  #failing: Map<string, Failing> | undefined;
  readonly #copied = new Set<string>();
  readonly #counts: Record<TaskState, number>;
  #problems: number;
  #done: number;
  #total: number;
  #changes = 0;
  #news = false;

  constructor(from: Board) {
    this.#from = from;
    this.#wanted = wanted(from.ids);
    this.#counts = { ...from.counts };
    this.#problems = from.problems;
    this.#done = from.done;
    this.#total = from.total;
  }

  task(task: Task, now: number): void {
    const before = this.#item(task.id);
    if (!this.#wanted.has(task.id) || (before && !newer(before.task, task))) return;
    const name = before && before.task.name === task.name ? before.name : cleanName(task.name);
    const item: Item = {
      task: task.run ? { ...task, run: { ...task.run, ...cleanRefs(task, task.run) } } : task,
      name,
      folded: name.toLowerCase(),
      changed: before ? now : 0,
    };
    if (before) {
      this.#count(before, -1);
      this.#changes++;
    }
    this.#set(task.id, item);
    this.#count(item, 1);
    if ((this.#absent ?? this.#from.absent).has(task.id)) this.#absents().delete(task.id);
  }

  gone(id: number): void {
    if (!this.#wanted.has(id)) return;
    const before = this.#item(id);
    if (before) {
      this.#count(before, -1);
      this.#tasks ??= new Map(this.#from.tasks);
      this.#tasks.delete(id);
      this.#changes++;
    } else if ((this.#absent ?? this.#from.absent).has(id)) return;
    this.#absents().set(id, before ? 'gone' : 'unknown');
    this.#news = true;
  }

  finish(now: number): Board {
    if (!this.#news) return this.#from;
    const from = this.#from;
    return {
      ids: from.ids,
      tasks: this.#tasks ?? from.tasks,
      absent: this.#absent ?? from.absent,
      counts: this.#counts,
      trees: this.#trees ?? from.trees,
      problems: this.#problems,
      failing: this.#failing ?? from.failing,
      done: this.#done,
      total: this.#total,
      slices: this.#changes > 0 ? addChanges(from.slices, this.#changes, now) : from.slices,
      changed: this.#changes > 0 ? now : from.changed,
    };
  }

  #item(id: number): Item | undefined {
    return (this.#tasks ?? this.#from.tasks).get(id);
  }

  #set(id: number, item: Item): void {
    this.#tasks ??= new Map(this.#from.tasks);
    this.#tasks.set(id, item);
    this.#news = true;
  }

  #absents(): Map<number, Absence> {
    this.#absent ??= new Map(this.#from.absent);
    return this.#absent;
  }

  // Adds a task to the counts, or takes it away from them.
  #count({ task }: Item, sign: 1 | -1): void {
    this.#counts[task.state] = (this.#counts[task.state] ?? 0) + sign;
    if (task.problem) this.#problems += sign;
    if (!task.run) return;
    this.#done += sign * task.run.progress.done;
    this.#total += sign * task.run.progress.total;
    const { tree } = task.run;
    this.#trees ??= new Map(this.#from.trees);
    const sharing = (this.#trees.get(tree) ?? 0) + sign;
    if (sharing > 0) this.#trees.set(tree, sharing);
    else this.#trees.delete(tree);
    // In a task that has ended nothing can be done about it any more.
    if (task.run.phase === 'ended') return;
    for (const node of task.run.failed ?? []) this.#fail(tree, node, task.id, sign);
  }

  #fail(tree: string, node: NodeRef, task: number, sign: 1 | -1): void {
    const key = failingKey(tree, node.index);
    this.#failing ??= new Map(this.#from.failing);
    let group = this.#failing.get(key);
    if (!group || !this.#copied.has(key)) {
      group = { key, tree, index: node.index, name: group?.name ?? node.name, tasks: new Map(group?.tasks) };
      this.#copied.add(key);
      this.#failing.set(key, group);
    }
    const tasks = group.tasks as Map<number, string>;
    if (sign > 0) tasks.set(task, node.id);
    else tasks.delete(task);
    if (tasks.size === 0) {
      this.#failing.delete(key);
      this.#copied.delete(key);
    }
  }
}

const sets = new WeakMap<readonly number[], ReadonlySet<number>>();

function wanted(ids: readonly number[]): ReadonlySet<number> {
  let set = sets.get(ids);
  if (!set) {
    set = new Set(ids);
    sets.set(ids, set);
  }
  return set;
}

// What a stream tells after it began anew may be what is known already.
function newer(before: Task, task: Task): boolean {
  if (!before.run || !task.run) return true;
  return task.run.revision > before.run.revision || (task.problem ?? '') !== (before.problem ?? '');
}

function cleanRefs(task: Task, run: NonNullable<Task['run']>): Partial<NonNullable<Task['run']>> {
  const clean = (refs: NodeRef[] | undefined) => refs?.map((n) => ({ ...n, name: cleanName(n.name) }));
  const why = taskWhy(task) ?? run.why;
  const { node } = why;
  return {
    running: clean(run.running),
    failed: clean(run.failed),
    paused: clean(run.paused),
    why: node ? { ...why, node: { ...node, name: isolated(cleanName(node.name)) } } : why,
  };
}

// A name in the middle of a sentence keeps its direction to itself.
function isolated(name: string): string {
  return name === '' ? '' : `\u2068${name}\u2069`;
}

function addChanges(slices: readonly Slice[], count: number, now: number): readonly Slice[] {
  const at = now - (now % sliceLength);
  const last = slices.at(-1);
  if (last && last.at >= at) return [...slices.slice(0, -1), { at: last.at, count: last.count + count }];
  const oldest = at - (sliceCount - 1) * sliceLength;
  return [...slices.filter((s) => s.at >= oldest), { at, count }];
}

/** Nodes that failed, as they are shown: one by name where each tree has only one of that name. */
export interface FailingGroup {
  key: string;
  name: string;
  parts: readonly Failing[];
  /** How many tasks it failed in. */
  failed: number;
  /** How many tasks have such a node. */
  of: number;
}

/** Puts the nodes together that failed, the most frequent first. */
export function failingGroups(board: Pick<Board, 'failing' | 'trees'>): FailingGroup[] {
  const named = new Map<string, Failing[]>();
  for (const f of board.failing.values()) {
    const same = named.get(f.name);
    if (same && f.name !== '') same.push(f);
    else named.set(f.name === '' ? f.key : f.name, [f]);
  }
  const groups: FailingGroup[] = [];
  for (const parts of named.values()) {
    const trees = new Set(parts.map((p) => p.tree));
    // Two nodes of one tree stay two, even when they have the same name.
    if (trees.size === parts.length) groups.push(groupOf(parts, board.trees));
    else for (const part of parts) groups.push(groupOf([part], board.trees));
  }
  return groups.sort((a, b) => b.failed - a.failed || (a.name < b.name ? -1 : 1));
}

function groupOf(parts: readonly Failing[], trees: Board['trees']): FailingGroup {
  const [first] = parts as [Failing, ...Failing[]];
  return {
    key: first.key,
    name: first.name,
    parts,
    failed: parts.reduce((n, p) => n + p.tasks.size, 0),
    of: parts.reduce((n, p) => n + (trees.get(p.tree) ?? 0), 0),
  };
}
