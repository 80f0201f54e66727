import { expect, test } from 'vitest';
import type { Task } from '../api';
import { emptyBoard, takeUp } from './model';
import { changedIn } from './useCells';

const task = (id: number, tree: string, revision: number) =>
  ({
    id,
    name: '',
    state: 'RUNNING',
    run: { tree, revision, progress: { done: 0, total: 0 }, why: { code: 'polling', text: '' } },
  }) as unknown as Task;

test('only what changed in the tree is asked for', () => {
  const board = takeUp(
    emptyBoard([1, 2, 3, 4]),
    [{ tasks: [task(1, 'a', 5), task(2, 'a', 5), task(3, 'b', 5), task(4, 'a', 1)] }],
    1,
  );
  const cells = new Map([
    [1, { revision: 5, looks: new Map() }],
    [2, { revision: 4, looks: new Map() }],
  ]);
  expect(changedIn(board, 'a', cells).map((d) => d.id)).toEqual([2, 4]);
});
