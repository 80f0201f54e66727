import { hasEnded, type Task } from '../api';
import type { Board, Item } from './model';
import type { Place } from './order';

/** By what the tasks of a board are put together. */
export const groupings = ['flow', 'state', 'by'] as const;
export type Grouping = (typeof groupings)[number];

/** Names the group of a task. Tasks of one flow that have another tree of it are another version. */
export function groupOf(task: Task, by: Grouping): string {
  switch (by) {
    case 'flow':
      return task.run?.tree ?? '';
    case 'state':
      return task.state;
    case 'by':
      return task.executor ?? '';
  }
}

/** Tasks that belong together. */
export interface Group {
  key: string;
  places: readonly Place[];
  /** One of its tasks, for its name. */
  first: Item;
  failed: number;
  ended: number;
}

/** Puts places together by the groups that they had when they were put in order, each where its first place was. */
export function groupsOf(board: Pick<Board, 'tasks'>, places: readonly Place[]): Group[] {
  const groups = new Map<string, Group & { places: Place[] }>();
  for (const place of places) {
    const item = board.tasks.get(place.id);
    if (!item) continue;
    const key = place.group ?? '';
    let group = groups.get(key);
    if (!group) {
      group = { key, places: [], first: item, failed: 0, ended: 0 };
      groups.set(key, group);
    }
    group.places.push(place);
    if (item.task.state === 'FAILED') group.failed++;
    if (hasEnded(item.task)) group.ended++;
  }
  return [...groups.values()];
}

/** A line of the list: the head of a group, or a task. */
export type Line = { group: Group; folded: boolean } | { place: Place };

/** Lays out a list, with a head before each group, and without the tasks of those that are folded. */
export function linesOf(
  groups: readonly Group[] | undefined,
  places: readonly Place[],
  folded: ReadonlySet<string>,
): Line[] {
  if (!groups) return places.map((place) => ({ place }));
  return groups.flatMap((group): Line[] => {
    if (folded.has(group.key)) return [{ group, folded: true }];
    return [{ group, folded: false }, ...group.places.map((place) => ({ place }))];
  });
}
