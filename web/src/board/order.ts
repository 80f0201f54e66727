import type { TaskState } from '../api/types';
import { type Grouping, groupOf } from './groups';
import type { Board, Item } from './model';

/** Ways to sort the tasks of a board. */
export const sorts = ['attention', 'given', 'name', 'elapsed', 'progress', 'changed'] as const;
export type Sort = (typeof sorts)[number];

/** Which tasks are shown. */
export interface Filter {
  states: ReadonlySet<TaskState>;
  text: string;
  /** Tasks in which a node failed, by key; undefined: all. */
  tasks?: ReadonlySet<number>;
}

// What needs a person comes first, what has ended well last.
const urgency: Record<TaskState, number> = {
  FAILED: 0,
  NODE_SUSPENDED: 1,
  SUSPENDED: 2,
  RUNNING: 3,
  CREATED: 4,
  REVOKED: 5,
  FINISHED: 6,
};

/** A task in an order, with what placed it there. */
export interface Place {
  id: number;
  rank: number;
  /** The group that it belongs to, where there are groups. */
  group?: string;
}

/** Gives the tasks that pass a filter, in order, each with its group where they are put together by something. */
export function arrange(
  board: Board,
  filter: Filter,
  sort: Sort,
  compare: (a: string, b: string) => number,
  by?: Grouping,
): Place[] {
  const text = filter.text.trim().toLowerCase();
  const shown: { item: Item; place: Place }[] = [];
  const given = sort === 'given' ? new Map(board.ids.map((id, i) => [id, i])) : undefined;
  for (const item of board.tasks.values()) {
    if (!passes(item, filter, text)) continue;
    const place: Place = { id: item.task.id, rank: rankOf(item, sort, given) };
    if (by) place.group = groupOf(item.task, by);
    shown.push({ item, place });
  }
  if (sort === 'name') shown.sort((a, b) => compare(a.item.name, b.item.name) || a.place.id - b.place.id);
  else shown.sort((a, b) => a.place.rank - b.place.rank || a.place.id - b.place.id);
  return shown.map((s) => s.place);
}

function passes({ task, folded }: Item, filter: Filter, text: string): boolean {
  if (filter.states.size > 0 && !filter.states.has(task.state)) return false;
  if (filter.tasks && !filter.tasks.has(task.id)) return false;
  if (text === '') return true;
  return (
    folded.includes(text) ||
    String(task.id).includes(text) ||
    [...(task.run?.failed ?? []), ...(task.run?.running ?? [])].some((n) => n.name.toLowerCase().includes(text))
  );
}

function rankOf({ task, changed }: Item, sort: Sort, given: Map<number, number> | undefined): number {
  switch (sort) {
    case 'attention':
      return urgency[task.state] * 2 + (task.run?.phase === 'waiting_human' || task.run?.phase === 'blocked' ? 0 : 1);
    case 'given':
      return given?.get(task.id) ?? 0;
    case 'elapsed':
      return task.started_at === undefined ? Number.MAX_VALUE : -elapsedRank(task.started_at, task.finished_at);
    case 'progress':
      return task.run && task.run.progress.total > 0 ? task.run.progress.done / task.run.progress.total : 2;
    case 'changed':
      return -changed;
    case 'name':
      return 0;
  }
}

// Of those that go on, the one that began first is the longest one, whatever the time is.
function elapsedRank(started: string, finished: string | undefined): number {
  return finished === undefined ? 1e15 - Date.parse(started) : Date.parse(finished) - Date.parse(started);
}

/** Counts the tasks that another order would bring, take away, or put into another place. */
export function moved(held: readonly Place[], now: readonly Place[]): number {
  const before = new Map(held.map((p) => [p.id, p]));
  let count = 0;
  for (const { id, rank, group } of now) {
    const was = before.get(id);
    if (was?.rank !== rank || was.group !== group) count++;
    before.delete(id);
  }
  return count + before.size;
}
