import { expect, test } from 'vitest';
import type { States, Task } from '../api';
import { stateOf } from './fixtures';
import { merge, newerTask, nothing, RunStore } from './store';

test('of each node the newest counts, in whatever order it comes', () => {
  let known = merge(nothing, [{ revision: 5, nodes: [stateOf(1, 'FINISHED'), stateOf(2, 'RUNNING')], all: true }]);
  known = merge(known, [
    { revision: 7, nodes: [stateOf(2, 'FAILED')] },
    { revision: 6, nodes: [stateOf(2, 'RUNNING'), stateOf(3, 'RUNNING')] },
  ]);
  expect([...known.states].map(([i, s]) => `${i} ${s.state}`)).toEqual(['1 FINISHED', '2 FAILED', '3 RUNNING']);
});

test('a whole picture drops what it does not have, but not what is newer than it', () => {
  let known = merge(nothing, [{ revision: 3, nodes: [stateOf(1, 'RUNNING')] }]);
  known = merge(known, [{ revision: 8, nodes: [stateOf(2, 'RUNNING')] }]);
  known = merge(known, [{ revision: 5, nodes: [stateOf(3, 'READY')], all: true }]);
  expect([...known.states.keys()].sort()).toEqual([2, 3]);
});

test('nothing new leaves all as it is, and a node that did not change stays the same object', () => {
  const known = merge(nothing, [{ revision: 3, nodes: [stateOf(1, 'RUNNING'), stateOf(2, 'READY')] }]);
  expect(merge(known, [{ revision: 3, nodes: [stateOf(1, 'RUNNING')] }])).toBe(known);
  const later = merge(known, [{ revision: 4, nodes: [stateOf(1, 'RUNNING')] }]);
  expect(later.states).toBe(known.states);
  const changed = merge(known, [{ revision: 4, nodes: [stateOf(1, 'RUNNING'), stateOf(2, 'RUNNING')] }]);
  expect(changed.states.get(1)).toBe(known.states.get(1));
  expect(changed.states).not.toBe(known.states);
});

test('what comes within a frame is told once', () => {
  const frames: (() => void)[] = [];
  const store = new RunStore((flush) => frames.push(flush));
  let told = 0;
  store.subscribe(() => told++);
  const task = (revision: number, state: Task['state']) => ({ id: 9, state, run: { revision } }) as Task;
  store.snapshot({ task: task(2, 'RUNNING'), now: '', nodes: [stateOf(1, 'RUNNING')] } as States);
  store.nodes({ task: 9, revision: 4, nodes: [stateOf(1, 'FINISHED')] });
  store.task(task(4, 'FINISHED'));
  store.task(task(3, 'RUNNING'));
  expect([told, frames.length]).toEqual([0, 1]);
  for (const flush of frames.splice(0)) flush();
  expect([told, store.current()?.state, store.states().get(1)?.state]).toEqual([1, 'FINISHED', 'FINISHED']);
});

test('a task that was deleted stays deleted, with the run that was known of it', () => {
  const known = { id: 9, run: { revision: 7 } } as Task;
  const deleted = { id: 9, deleted: true } as Task;
  for (const after of [newerTask(known, deleted), newerTask(deleted, known)]) {
    expect(after).toEqual({ id: 9, run: { revision: 7 }, deleted: true });
  }
});

test('children only become more, whichever telling is newer', () => {
  const task = (revision: number, children?: number[]) => ({ id: 9, run: { revision }, children }) as Task;
  expect(newerTask(task(7, [1]), task(8)).children).toEqual([1]);
  expect(newerTask(task(8, [1]), task(7, [1, 2]))).toMatchObject({ run: { revision: 8 }, children: [1, 2] });
  expect(newerTask(task(7, [1]), task(8, [1, 2])).children).toEqual([1, 2]);
});
