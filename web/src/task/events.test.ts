import { expect, test } from 'vitest';
import type { EventList, TaskEvent } from '../api';
import { noEvents, withNewest, withOlder } from './events';

const event = (revision: number, n = 0) => ({ revision, n }) as TaskEvent;
const page = (events: TaskEvent[], next_cursor?: string) => ({ events, next_cursor }) as EventList;
const told = (log: typeof noEvents) => [log.events.map((e) => `${e.revision}.${e.n}`).join(' '), log.older];

test('newer events come before those that are known, and a gap drops these', () => {
  const log = withNewest(noEvents, page([event(5), event(4, 1), event(4)], 'a'));
  expect(told(withNewest(log, page([event(6), event(5)], 'b')))).toEqual(['6.0 5.0 4.1 4.0', 'a']);
  expect(told(withNewest(log, page([event(9), event(8)], 'b')))).toEqual(['9.0 8.0', 'b']);
  expect(withNewest(log, page([event(5)], 'b'))).toBe(log);
});

test('older events come behind them, once each', () => {
  const log = withNewest(noEvents, page([event(5)], 'a'));
  expect(told(withOlder(log, page([event(5), event(4)], 'b')))).toEqual(['5.0 4.0', 'b']);
  expect(told(withOlder(log, page([event(3)])))).toEqual(['5.0 3.0', undefined]);
});

test('where nothing was found yet, what was looked through stays behind', () => {
  const log = withOlder(withNewest(noEvents, page([], 'a')), page([], 'b'));
  expect(told(withNewest(log, page([], 'c')))).toEqual(['', 'b']);
  expect(told(withNewest(log, page([event(9)], 'c')))).toEqual(['9.0', 'c']);
  expect(told(withNewest(withOlder(log, page([])), page([], 'c')))).toEqual(['', undefined]);
});
