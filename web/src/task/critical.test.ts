import { expect, test } from 'vitest';
import type { NodeState, TaskEvent } from '../api';
import { criticalPath } from './critical';
import { makeGraph, stateOf, statesOf } from './fixtures';
import { makeTree } from './model';
import { lanesOf, pausesOf, piecesOf } from './timeline';

const zero = Date.parse('2026-01-02T03:00:00Z');
const at = (seconds: number) => new Date(zero + seconds * 1000).toISOString();

// The state of a node that ran from one second to another.
function ran(index: number, from: number, to: number, more: Partial<NodeState> = {}): NodeState {
  return stateOf(index, 'FINISHED', { started_at: at(from), finished_at: at(to), ...more });
}

test('of two branches the one that ended later decided, and what it waited for counts between', () => {
  // 1 forks into 2 and 3>4, which meet in 5.
  const tree = makeTree(
    makeGraph('1>2 1>3 3>4 2>5 4>5 5>6', {
      1: { kind: 'ParallelGateway', plugin: undefined },
      5: { kind: 'ConvergeGateway', plugin: undefined },
    }),
  );
  const states = statesOf(ran(1, 0, 0), ran(2, 0, 9), ran(3, 0, 3), ran(4, 13, 20), ran(5, 20, 20), ran(6, 20, 25));
  const path = criticalPath(tree, states, zero + 25_000);
  expect(path.chain).toEqual([1, 3, 4, 5, 6]);
  expect([path.steps, path.inside]).toEqual([3, 15_000]);
  const other = statesOf(ran(1, 0, 0), ran(2, 0, 21), ran(3, 0, 3), ran(4, 13, 20), ran(5, 21, 21), ran(6, 21, 25));
  expect(criticalPath(tree, other, zero + 25_000).chain).toEqual([1, 2, 5, 6]);
});

test('a subprocess has a path inside, and is no step itself', () => {
  const tree = makeTree(
    makeGraph('1>2 3>5 4>5', {
      2: { kind: 'SubProcess', plugin: undefined },
      3: { parent: 2 },
      4: { parent: 2 },
      5: { parent: 2 },
    }),
  );
  const states = statesOf(ran(1, 0, 2), ran(2, 2, 10), ran(3, 2, 5), ran(4, 2, 4), ran(5, 5, 10));
  const path = criticalPath(tree, states, zero + 99_000);
  expect(path.chain).toEqual([1, 2, 3, 5]);
  expect([path.steps, path.inside]).toEqual([3, 10_000]);
  expect(path.nodes.has(4)).toBe(false);
});

test('in a loop the last round is on the path, once', () => {
  // 1, then 2 and 3 in rounds, until 3 leads to 4.
  const tree = makeTree(makeGraph('1>2 2>3 3>2 3>4', { 3: { kind: 'ExclusiveGateway', plugin: undefined } }));
  const states = statesOf(ran(1, 0, 1), ran(2, 30, 39, { loop: 4 }), ran(3, 39, 39, { loop: 4 }), ran(4, 39, 40));
  const path = criticalPath(tree, states, zero + 40_000);
  expect(path.chain).toEqual([1, 2, 3, 4]);
  expect(path.inside).toBe(11_000);
  // All in the same moment: it ends all the same.
  const still = statesOf(ran(1, 0, 0), ran(2, 0, 0), ran(3, 0, 0), ran(4, 0, 0));
  expect(criticalPath(tree, still, zero).chain).toEqual([1, 2, 3, 4]);
});

test('while it goes on, the path ends with what has been open longest', () => {
  const tree = makeTree(makeGraph('1>2 1>3 1>4 4>5'));
  const states = statesOf(
    ran(1, 0, 1),
    stateOf(2, 'RUNNING', { started_at: at(4) }),
    stateOf(3, 'FAILED', { started_at: at(2), finished_at: at(3) }),
    ran(4, 1, 3),
    stateOf(5, 'READY'),
  );
  const path = criticalPath(tree, states, zero + 12_000);
  expect(path.chain).toEqual([1, 3]);
  expect(path.inside).toBe(11_000);
  const again = statesOf(ran(1, 0, 1), ran(4, 1, 3), stateOf(5, 'READY'));
  expect(criticalPath(tree, again, zero + 12_000).chain).toEqual([1, 4, 5]);
  expect(criticalPath(tree, new Map(), zero).chain).toEqual([]);
});

test('where nothing waits, the steps of the path make up the whole time, and no path is longer', () => {
  let seed = 11;
  const random = (most: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % most;
  };
  for (let round = 0; round < 200; round++) {
    const count = 2 + random(12);
    const edges: string[] = [];
    const into = new Map<number, number[]>();
    for (let to = 2; to <= count; to++) {
      const before = new Set(Array.from({ length: 1 + random(3) }, () => 1 + random(to - 1)));
      into.set(to, [...before]);
      for (const from of before) edges.push(`${from}>${to}`);
    }
    // Each node begins when all that lead to it have ended; so its end is the longest way to it.
    const ends: number[] = [0];
    const states = new Map<number, NodeState>();
    for (let n = 1; n <= count; n++) {
      const from = Math.max(0, ...(into.get(n) ?? []).map((b) => ends[b] ?? 0));
      ends[n] = from + 1 + random(50);
      states.set(n, ran(n, from, ends[n] ?? 0));
    }
    const longest = Math.max(...ends);
    const path = criticalPath(makeTree(makeGraph(edges.join(' '))), states, zero + longest * 1000);
    expect(path.inside).toBe(longest * 1000);
    expect(path.chain[0]).toBe(1);
    expect(path.chain.slice(1).every((n, i) => edges.includes(`${path.chain[i]}>${n}`))).toBe(true);
  }
});

let revision = 0;
function event(index: number, to: TaskEvent['to'], seconds: number): TaskEvent {
  return { revision: ++revision, n: 0, index, node: '', name: '', from: 'READY', to, at: at(seconds) };
}

test('a gap says what was waited for: the end of a pause, or the next round', () => {
  const tree = makeTree(makeGraph('1>2 2>3', { 3: { plugin: 'callback_node' } }));
  const states = statesOf(ran(1, 0, 1), ran(2, 100, 110, { loop: 2 }), ran(3, 130, 200));
  const events = [
    event(1, 'RUNNING', 0),
    event(1, 'FINISHED', 1),
    event(0, 'SUSPENDED', 1),
    event(0, 'RUNNING', 19),
    event(2, 'RUNNING', 20),
    event(2, 'FINISHED', 30),
    event(2, 'RUNNING', 100),
    event(2, 'FINISHED', 110),
    event(0, 'SUSPENDED', 111),
    event(0, 'RUNNING', 114),
    event(3, 'RUNNING', 130),
    event(3, 'FINISHED', 200),
  ];
  const pauses = pausesOf(events);
  expect(pauses.map((p) => [p.from - zero, p.to && p.to - zero])).toEqual([
    [1000, 19_000],
    [111_000, 114_000],
  ]);
  const lanes = lanesOf(tree, states, piecesOf(events, tree, states), new Set(), 5000, pauses);
  const told = lanes.map((l) => l.pieces.map((p) => `${p.kind}${p.gap ? ` ${p.gap}` : ''}`));
  expect(told).toEqual([['ran'], ['idle paused', 'ran', 'idle round', 'ran'], ['idle', 'callback']]);
});
