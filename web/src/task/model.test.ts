import { expect, test } from 'vitest';
import { makeGraph, stateOf, statesOf } from './fixtures';
import { around, countsOf, failedNodes, isTaken, makeTree, nextOf, plainName, runningNodes } from './model';

// 1 start, 2 split, branches 3>4 and 5, 6 join, 7 leads back to 2.
const flat = makeGraph('1>2 2>3 3>4 4>6 2>5 5>6 6>7 7>2');

test('the order of execution puts each node behind what leads to it, branches one after the other', () => {
  const tree = makeTree(flat);
  expect(tree.order).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(tree.place.get(5)).toBe(4);
});

const nested = makeGraph('1>2 2>3 4>5 6>7', {
  2: { kind: 'SubProcess', plugin: undefined },
  4: { parent: 2 },
  5: { kind: 'SubProcess', plugin: undefined, parent: 2 },
  6: { parent: 5 },
  7: { parent: 5 },
});

test('nodes of a subprocess follow it', () => {
  const tree = makeTree(nested);
  expect(tree.order).toEqual([1, 2, 4, 5, 6, 7, 3]);
  expect(around(tree, 7)).toEqual([2, 5]);
});

test('counts are of activities, of all levels', () => {
  const tree = makeTree(nested);
  const states = statesOf(stateOf(1, 'FINISHED'), stateOf(6, 'FAILED'), stateOf(4, 'FINISHED'), stateOf(5, 'FAILED'));
  const counts = countsOf(tree, states);
  expect(counts.get(0)).toEqual({ total: 5, done: 2, failed: 1, running: 0, paused: 0 });
  expect(counts.get(2)).toEqual({ total: 3, done: 1, failed: 1, running: 0, paused: 0 });
  expect(counts.get(5)).toEqual({ total: 2, done: 0, failed: 1, running: 0, paused: 0 });
});

test('a subprocess FAILED by itself only when nothing in it did', () => {
  const tree = makeTree(nested);
  const inner = statesOf(stateOf(2, 'FAILED'), stateOf(5, 'FAILED'), stateOf(6, 'FAILED'));
  expect(failedNodes(tree, inner)).toEqual([6]);
  expect(failedNodes(tree, statesOf(stateOf(2, 'FAILED')))).toEqual([2]);
  expect(runningNodes(tree, statesOf(stateOf(2, 'RUNNING'), stateOf(4, 'RUNNING')))).toEqual([4]);
});

test('next and previous go round', () => {
  const tree = makeTree(flat);
  const failed = [3, 5, 6];
  expect(nextOf(failed, tree, undefined, 1)).toBe(3);
  expect(nextOf(failed, tree, 3, 1)).toBe(5);
  expect(nextOf(failed, tree, 4, 1)).toBe(5);
  expect(nextOf(failed, tree, 6, 1)).toBe(3);
  expect(nextOf(failed, tree, 3, -1)).toBe(6);
  expect(nextOf([], tree, 3, 1)).toBeUndefined();
});

test('an edge is taken when both ends were reached', () => {
  const tree = makeTree(flat);
  const [first, second] = tree.graph.edges;
  if (!first || !second) throw new Error('no edges');
  const at = '2026-01-02T03:04:05Z';
  const states = statesOf(stateOf(1, 'FINISHED', { finished_at: at }), stateOf(2, 'RUNNING', { started_at: at }));
  expect(isTaken(tree, states, first)).toBe(true);
  expect(isTaken(tree, states, second)).toBe(false);
});

test('names are bounded and turn nothing round', () => {
  expect(plainName('a\u202eb\u0000c\nd')).toBe('a b c d');
  expect(plainName('x'.repeat(10_000)).length).toBe(301);
  expect(plainName(`${'x'.repeat(4)}😀y`, 5)).toBe('xxxx…');
});
