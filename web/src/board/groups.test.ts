import { expect, test } from 'vitest';
import type { Task, TaskState } from '../api/types';
import { type Grouping, groupsOf, linesOf } from './groups';
import { emptyBoard, takeUp } from './model';
import { arrange, moved, type Sort } from './order';

const task = (id: number, state: TaskState, tree: string, executor?: string, revision = 1) =>
  ({
    ...{ id, name: `task ${id}`, state, executor },
    run: { revision, tree, phase: 'running', progress: { done: 0, total: 1 }, actions: [], why: { code: 'polling' } },
  }) as unknown as Task;

const tasks = [
  task(1, 'FINISHED', 'a', 'ann'),
  task(2, 'FAILED', 'b', 'bob'),
  task(3, 'RUNNING', 'a', 'bob'),
  task(4, 'CREATED', 'a'),
  task(5, 'REVOKED', 'b', 'ann'),
];
const board = takeUp(emptyBoard([1, 2, 3, 4, 5]), [{ tasks }], 1);
const placed = (by?: Grouping, of = board, sort: Sort = 'attention') =>
  arrange(of, { states: new Set(), text: '' }, sort, (a, b) => (a < b ? -1 : 1), by);
const grouped = (by: Grouping) =>
  groupsOf(board, placed(by)).map((g) => [g.key, g.places.map((p) => p.id), g.failed, g.ended]);

test('groups come in the order of their first tasks, and count what failed and what ended', () => {
  expect(grouped('flow')).toEqual([
    ['b', [2, 5], 1, 1],
    ['a', [3, 4, 1], 0, 1],
  ]);
  expect(grouped('state').map(([key]) => key)).toEqual(['FAILED', 'RUNNING', 'CREATED', 'REVOKED', 'FINISHED']);
  expect(grouped('by')).toEqual([
    ['bob', [2, 3], 1, 0],
    ['', [4], 0, 0],
    ['ann', [5, 1], 0, 2],
  ]);
});

test('a head stands before each group, and a folded one has nothing below it', () => {
  const groups = groupsOf(board, placed('flow'));
  const shape = linesOf(groups, placed('flow'), new Set(['b'])).map((l) => ('place' in l ? l.place.id : l.group.key));
  expect(shape).toEqual(['b', 'a', 3, 4, 1]);
  expect(linesOf(undefined, placed(), new Set(['b']))).toHaveLength(5);
});

test('a task that would come into another group has moved, and stays where it is while the order is held', () => {
  const held = placed('state', board, 'given'); // in which no change of a task is a move
  const later = takeUp(board, [{ tasks: [task(1, 'FINISHED', 'a', 'ann', 2), task(3, 'REVOKED', 'a', 'bob', 2)] }], 2);
  expect(moved(held, placed('state', later, 'given'))).toBe(1);
  const running = groupsOf(later, held).find((g) => g.key === 'RUNNING');
  expect(running?.places.map((p) => p.id)).toEqual([3]);
});
