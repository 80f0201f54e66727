import { expect, test } from 'vitest';
import type { Task, TaskState } from '../api/types';
import { emptyBoard, takeUp } from './model';
import { chosenTree, treesOf } from './trees';

function items(...all: [tree: string, state?: TaskState, flow?: number][]) {
  const tasks = all.map(([tree, state = 'RUNNING', flow], i) => {
    const run = {
      revision: 1,
      tree,
      phase: 'running',
      progress: { done: 0, total: 1 },
      actions: [],
      why: { code: 'polling' },
    };
    return { id: i + 1, name: `task ${i + 1}`, state, flow, run } as unknown as Task;
  });
  return takeUp(emptyBoard(tasks.map((t) => t.id)), [{ tasks }], 1).tasks.values();
}

test('the tree in which tasks failed comes first, however few share it', () => {
  const trees = treesOf(items(['a'], ['a'], ['a'], ['b', 'FAILED', 7], ['c'], ['c', 'FINISHED'], ['']));
  expect(trees.map((t) => [t.tree, t.tasks, t.failing])).toEqual([
    ['b', 1, 1],
    ['a', 3, 0],
    ['c', 2, 0],
  ]);
  expect(trees[0]).toMatchObject({ flow: 7, task: 4, name: 'task 4' });
});

test('of two in which as many failed the one that more share comes first, then the older one', () => {
  expect(treesOf(items(['a', 'FAILED'], ['b', 'FAILED'], ['b'])).map((t) => t.tree)).toEqual(['b', 'a']);
  expect(treesOf(items(['b'], ['a'])).map((t) => t.tree)).toEqual(['b', 'a']);
});

test('what is shown stays, unless another one is asked for or it is gone', () => {
  const trees = treesOf(items(['a'], ['a'], ['b', 'FAILED'], ['c']));
  expect(chosenTree(trees, null, undefined)?.tree).toBe('b');
  expect(chosenTree(trees, null, 'a')?.tree).toBe('a');
  expect(chosenTree(trees, 'c', 'a')?.tree).toBe('c');
  expect(chosenTree(trees, 'elsewhere', 'gone')?.tree).toBe('b');
  expect(chosenTree([], 'a', 'b')).toBeUndefined();
});
