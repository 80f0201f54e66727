import { expect, test } from 'vitest';
import type { Task } from '../api';
import { bulkTargets, collect, takes } from './bulk';

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

const list = (ids: number[], next?: string) => ({ tasks: ids.map((id) => task(id, [])), next_cursor: next });

test('all pages of a filter are collected, each task once', async () => {
  const asked: string[] = [];
  const pages = new Map([
    ['', list([9, 8], 'a')],
    ['a', list([8, 7, 6], 'b')],
    ['b', list([5])],
  ]);
  const page = async (cursor: string) => {
    asked.push(cursor);
    return pages.get(cursor) ?? list([]);
  };
  const { tasks, more } = await collect(page, ({ id }) => id !== 6);
  expect(tasks.map(({ id }) => id)).toEqual([9, 8, 7, 5]);
  expect(more).toBe(false);
  expect(asked).toEqual(['', 'a', 'b']);
});

test('no more are collected than may be selected, and it is told that there are more', async () => {
  const page = async () => list([3, 2, 1], 'on');
  expect(await collect(page, () => true, 2)).toMatchObject({ tasks: [{ id: 3 }, { id: 2 }], more: true });
  expect(await collect(page, () => true, 3, 4)).toMatchObject({ tasks: [{ id: 3 }, { id: 2 }, { id: 1 }], more: true });
  expect(
    (
      await collect(
        async () => list([3, 2, 1]),
        () => true,
        3,
      )
    ).more,
  ).toBe(false);
});
