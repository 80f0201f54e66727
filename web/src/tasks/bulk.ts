import { api, type BulkCommand, type Task, type TaskFilter, type TaskList, type TaskState } from '../api';
import { waitsForPerson } from './query';

/** The commands for many tasks at once; retry is for each failed node of them. */
export type BulkName = 'pause' | 'resume' | 'revoke' | 'retry';

export const bulkNames: readonly BulkName[] = ['pause', 'resume', 'revoke', 'retry'];

/** The most tasks that are selected at once. */
export const mostSelected = 1000;

/** Whether the server would take the command for a task now. */
export function takes(task: Task, name: BulkName): boolean {
  if (name === 'retry') return (task.run?.failed?.length ?? 0) > 0 && task.state !== 'REVOKED';
  return task.run?.actions.includes(name) ?? false;
}

/** To what a command goes: the tasks that take it, or their failed nodes. */
export function bulkTargets(tasks: readonly Task[], name: BulkName): BulkCommand['targets'] {
  const able = tasks.filter((task) => takes(task, name));
  if (name !== 'retry') return able.map((task) => ({ task: task.id }));
  return able.flatMap((task) => (task.run?.failed ?? []).map((node) => ({ task: task.id, node: node.id })));
}

/** Tasks of several pages, and whether there may be others. */
export interface Collected {
  tasks: Task[];
  more: boolean;
}

/**
 * Reads pages until there are `most` tasks that fit, or no more pages. It ends too after many pages with little in them:
 * `more` says whether there may be others.
 */
export async function collect(
  page: (cursor: string) => Promise<TaskList>,
  fits: (task: Task) => boolean,
  most: number = mostSelected,
  pages = 25,
): Promise<Collected> {
  const found = new Map<number, Task>();
  let cursor = '';
  for (let i = 0; i < pages; i++) {
    const { tasks, next_cursor } = await page(cursor);
    for (const task of tasks) {
      if (!fits(task)) continue;
      if (found.size === most) return { tasks: [...found.values()], more: true };
      found.set(task.id, task);
    }
    if (!next_cursor) return { tasks: [...found.values()], more: false };
    cursor = next_cursor;
  }
  return { tasks: [...found.values()], more: true };
}

/** Collects the tasks of a project that a filter and the rest of a query leave, the newest first. */
export function collectMatching(
  project: number,
  filter: TaskFilter,
  { state, slow, waiting }: { state?: TaskState | undefined; slow?: boolean; waiting?: boolean },
  most?: number,
): Promise<Collected> {
  return collect(
    (cursor) => api.tasks(project, { ...filter, state, slow: slow || undefined, run: true, limit: 200, cursor }),
    (task) => !waiting || waitsForPerson(task),
    most,
  );
}
