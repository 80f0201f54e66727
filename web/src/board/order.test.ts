import { expect, test } from 'vitest';
import type { Phase, Task, TaskState } from '../api';
import { emptyBoard, takeUp } from './model';
import { arrange, type Filter, moved, type Sort } from './order';

function task(
  id: number,
  state: TaskState,
  name: string,
  more: { started?: number; finished?: number; done?: number; phase?: Phase } = {},
) {
  const at = (s: number | undefined) => (s === undefined ? undefined : new Date(s * 1000).toISOString());
  return {
    id,
    name,
    state,
    started_at: at(more.started),
    finished_at: at(more.finished),
    run: {
      revision: 1,
      tree: 'a',
      phase: more.phase ?? 'running',
      progress: { done: more.done ?? 0, total: 10 },
      failed: state === 'FAILED' ? [{ index: 1, id: 'n', name: 'Push Files' }] : [],
      why: { code: 'polling', text: '' },
    },
  } as unknown as Task;
}

const board = takeUp(
  emptyBoard([5, 3, 1, 4, 2]),
  [
    {
      tasks: [
        task(1, 'FINISHED', 'b10', { started: 0, finished: 50, done: 10 }),
        task(2, 'RUNNING', 'b9', { started: 90, done: 3 }),
        task(3, 'FAILED', 'a', { started: 80, done: 5, phase: 'blocked' }),
        task(4, 'FAILED', 'c', { started: 70, done: 4 }),
        task(5, 'CREATED', 'd'),
      ],
    },
  ],
  1,
);
const all: Filter = { states: new Set(), text: '' };
const compare = new Intl.Collator('en', { numeric: true }).compare;
const ids = (filter: Partial<Filter>, sort: Sort) =>
  arrange(board, { ...all, ...filter }, sort, compare).map((p) => p.id);

test('sorts', () => {
  expect(ids({}, 'attention')).toEqual([3, 4, 2, 5, 1]);
  expect(ids({}, 'given')).toEqual([5, 3, 1, 4, 2]);
  expect(ids({}, 'name')).toEqual([3, 2, 1, 4, 5]);
  expect(ids({}, 'elapsed')).toEqual([4, 3, 2, 1, 5]);
  expect(ids({}, 'progress')).toEqual([5, 2, 4, 3, 1]);
});

test('filters', () => {
  expect(ids({ states: new Set(['FAILED', 'RUNNING']) }, 'attention')).toEqual([3, 4, 2]);
  expect(ids({ text: ' PUSH f' }, 'attention')).toEqual([3, 4]);
  expect(ids({ text: 'B1' }, 'attention')).toEqual([1]);
  expect(ids({ text: '5' }, 'attention')).toEqual([5]);
  expect(ids({ tasks: new Set([2]) }, 'attention')).toEqual([2]);
});

test('counts what another order would move', () => {
  const held = [
    { id: 1, rank: 0 },
    { id: 2, rank: 0 },
    { id: 3, rank: 1 },
  ];
  expect(moved(held, held)).toBe(0);
  expect(
    moved(held, [
      { id: 1, rank: 0 },
      { id: 4, rank: 0 },
      { id: 3, rank: 2 },
    ]),
  ).toBe(3);
});
