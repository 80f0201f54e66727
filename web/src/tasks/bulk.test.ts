import { expect, test } from 'vitest';
import type { Task } from '../api';
import { bulkTargets, takes } from './bulk';

const node = (index: number) => ({ index, id: `n${index}`, name: `node ${index}` });
const task = (id: number, actions: string[], failed: number[] = [], state = 'FAILED') =>
  ({ id, state, run: { actions, failed: failed.map(node) } }) as unknown as Task;
const tasks = [task(1, ['pause', 'revoke'], [7, 9]), task(2, ['resume']), task(3, [], [4], 'REVOKED')];

test('a command goes to the tasks that take it', () => {
  expect(bulkTargets(tasks, 'pause')).toEqual([{ task: 1 }]);
  expect(bulkTargets(tasks, 'resume')).toEqual([{ task: 2 }]);
  expect(takes({ id: 5 } as Task, 'pause')).toBe(false);
});

test('a retry goes to each failed node of tasks that can go on', () => {
  expect(bulkTargets(tasks, 'retry')).toEqual([
    { task: 1, node: 'n7' },
    { task: 1, node: 'n9' },
  ]);
});

test('no more go out than the server takes', () => {
  const many = Array.from({ length: 1200 }, (_, i) => task(i + 1, ['pause']));
  expect(bulkTargets(many, 'pause')).toHaveLength(1000);
});
