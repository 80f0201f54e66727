import type { Task } from '../api';

/**
 * The rows of the list. What is shown keeps its place: what would move the rows, tasks that came and tasks that no longer
 * belong here, waits until the viewer wants to see it.
 */
export interface Rows {
  /** The tasks that are shown, newest first, as they stand now. */
  shown: readonly Task[];
  /** Whether nothing is older than what is shown. */
  whole: boolean;
  /** Shown, but no longer in the filter. */
  left: ReadonlySet<number>;
  /** In the filter, but not shown yet. */
  came: ReadonlyMap<number, Task>;
}

export const noRows: Rows = { shown: [], whole: false, left: new Set(), came: new Map() };

export type RowsAction =
  /** The list was read: all pages that are loaded. */
  | { type: 'loaded'; tasks: readonly Task[]; whole: boolean }
  /** Tasks changed, or came into the filter. */
  | {
      type: 'news';
      tasks: readonly Task[];
      fits: (task: Task) => boolean /** They are all that belong here. */;
      all?: boolean;
    }
  /** Shown tasks were looked up; whether they are in the filter does not follow from it. */
  | { type: 'refreshed'; tasks: readonly Task[] }
  | { type: 'gone'; ids: readonly number[] }
  | { type: 'show' };

export function changeRows(rows: Rows, action: RowsAction): Rows {
  switch (action.type) {
    case 'loaded':
      return loaded(rows, action.tasks, action.whole);
    case 'news':
      return news(action.all ? { ...rows, came: noRows.came } : rows, action.tasks, action.fits);
    case 'refreshed':
      return { ...rows, shown: replaced(rows.shown, byId(action.tasks)) };
    case 'gone':
      return gone(rows, action.ids);
    case 'show':
      return show(rows);
  }
}

/** How many rows would come or go. */
export function pending(rows: Rows): number {
  return rows.left.size + rows.came.size;
}

function byId(tasks: readonly Task[]): Map<number, Task> {
  return new Map(tasks.map((t) => [t.id, t]));
}

/** Of two answers about a task the one of the higher revision counts. */
function newer(a: Task, b: Task): Task {
  return (b.run?.revision ?? 0) >= (a.run?.revision ?? 0) ? b : a;
}

function replaced(shown: readonly Task[], fresh: ReadonlyMap<number, Task>): readonly Task[] {
  if (!shown.some((t) => fresh.has(t.id))) return shown;
  return shown.map((t) => newer(t, fresh.get(t.id) ?? t));
}

function loaded(rows: Rows, tasks: readonly Task[], whole: boolean): Rows {
  const known = byId(rows.shown);
  const ids = new Set(tasks.map((t) => t.id));
  const came = new Map([...rows.came].filter(([id]) => !ids.has(id)));
  return {
    shown: tasks.map((t) => newer(known.get(t.id) ?? t, t)),
    whole,
    left: new Set([...rows.left].filter((id) => ids.has(id))),
    came,
  };
}

function news(rows: Rows, tasks: readonly Task[], fits: (task: Task) => boolean): Rows {
  const shownIds = new Set(rows.shown.map((t) => t.id));
  const oldest = rows.shown.at(-1)?.id ?? 0;
  const left = new Set(rows.left);
  const came = new Map(rows.came);
  for (const task of tasks) {
    const belongs = fits(task);
    if (shownIds.has(task.id)) {
      if (belongs) left.delete(task.id);
      else left.add(task.id);
    } else if (!belongs) came.delete(task.id);
    // What is older than all that is shown stands on a page that was not asked for.
    else if (rows.whole || task.id > oldest) came.set(task.id, newer(came.get(task.id) ?? task, task));
  }
  return { ...rows, shown: replaced(rows.shown, byId(tasks)), left, came };
}

function gone(rows: Rows, ids: readonly number[]): Rows {
  const left = new Set(rows.left);
  const came = new Map(rows.came);
  const shownIds = new Set(rows.shown.map((t) => t.id));
  for (const id of ids) {
    came.delete(id);
    if (shownIds.has(id)) left.add(id);
  }
  return { ...rows, left, came };
}

function show(rows: Rows): Rows {
  const kept = rows.shown.filter((t) => !rows.left.has(t.id));
  return {
    ...rows,
    shown: [...kept, ...rows.came.values()].toSorted((a, b) => b.id - a.id),
    left: new Set(),
    came: new Map(),
  };
}
