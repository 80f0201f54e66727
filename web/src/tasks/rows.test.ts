import { expect, test } from 'vitest';
import type { Task } from '../api';
import { changeRows, noRows, pending, type Rows, type RowsAction } from './rows';

const task = (id: number, revision = 1, state = 'RUNNING') => ({ id, state, run: { revision } }) as Task;
const running = (t: Task) => t.state === 'RUNNING';

function after(...actions: RowsAction[]): Rows {
  return actions.reduce(changeRows, noRows);
}
const loaded = (ids: number[], whole = false): RowsAction => ({
  type: 'loaded',
  tasks: ids.map((i) => task(i)),
  whole,
});
const news = (...tasks: Task[]): RowsAction => ({ type: 'news', tasks, fits: running });
const ids = (rows: Rows) => rows.shown.map((t) => t.id);

test('a change of a shown task is seen at once, and an older answer changes nothing', () => {
  const rows = after(loaded([9, 8]), news(task(8, 5)), news(task(8, 3)), loaded([9, 8]));
  expect(rows.shown[1]?.run?.revision).toBe(5);
  expect(pending(rows)).toBe(0);
});

test('a task that comes waits to be shown', () => {
  const before = after(loaded([9, 8]), news(task(12), task(11)));
  expect(ids(before)).toEqual([9, 8]);
  expect(pending(before)).toBe(2);
  const rows = changeRows(before, { type: 'show' });
  expect(ids(rows)).toEqual([12, 11, 9, 8]);
  expect(pending(rows)).toBe(0);
});

test('a task that belongs to an older page does not come, unless there is none', () => {
  expect(pending(after(loaded([9, 8]), news(task(3))))).toBe(0);
  expect(pending(after(loaded([9, 8], true), news(task(3))))).toBe(1);
  expect(pending(after(loaded([], true), news(task(3))))).toBe(1);
});

test('a task that leaves the filter keeps its place until then', () => {
  const before = after(loaded([9, 8]), news(task(9, 2, 'FAILED')), { type: 'gone', ids: [8, 77] });
  expect(ids(before)).toEqual([9, 8]);
  expect(before.shown[0]?.state).toBe('FAILED');
  expect([...before.left]).toEqual([9, 8]);
  expect(ids(changeRows(before, { type: 'show' }))).toEqual([]);
});

test('a task that comes back has not left, and one that comes and goes was never there', () => {
  const rows = after(loaded([9]), { type: 'gone', ids: [9] }, news(task(9, 4)), news(task(10)), {
    type: 'gone',
    ids: [10],
  });
  expect(pending(rows)).toBe(0);
});

test('what was loaded is not announced any more', () => {
  expect(pending(after(loaded([9]), news(task(10)), loaded([10, 9])))).toBe(0);
});

test('who does not stand in an answer with all that belong does not come any more', () => {
  const rows = after(loaded([9]), news(task(12), task(11)), {
    type: 'news',
    tasks: [task(12)],
    fits: running,
    all: true,
  });
  expect([...rows.came.keys()]).toEqual([12]);
});
