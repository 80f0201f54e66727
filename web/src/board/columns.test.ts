import { expect, test } from 'vitest';
import type { Graph, GraphNode, Node } from '../api';
import { cellLook, columnsOf, flowOrder, looksOf, mostColumns } from './columns';

function graph(nodes: [number, string?, number?][], ...edges: [number, number][]): Graph {
  return {
    tree: 't',
    nodes: nodes.map(([index, kind = 'ServiceActivity', parent = 0]) => ({ index, name: `n${index}`, kind, parent })),
    edges: edges.map(([from, to], index) => ({ from, to, index })),
  };
}

const order = (g: Graph) => flowOrder(g).map((n) => n.index);

test('columns follow the flow, not the numbers', () => {
  expect(order(graph([[1], [2], [3]], [3, 1], [1, 2]))).toEqual([3, 1, 2]);
});

test('events, gateways and what is inside of subprocesses have no column, but lead to those behind them', () => {
  const g = graph(
    [
      [1, 'EmptyStartEvent'],
      [2, 'ParallelGateway'],
      [3, 'SubProcess'],
      [4],
      [5, 'ConvergeGateway'],
      [6],
      [7, 'ServiceActivity', 3],
    ],
    [1, 2],
    [2, 4],
    [2, 3],
    [3, 5],
    [4, 5],
    [5, 6],
  );
  expect(order(g)).toEqual([3, 4, 6]);
});

test('a node stands behind the longest way to it', () => {
  expect(order(graph([[1], [2], [3], [4]], [1, 2], [1, 4], [2, 3], [3, 4]))).toEqual([1, 2, 3, 4]);
  expect(order(graph([[9], [2], [3], [4]], [9, 2], [9, 4], [2, 3], [3, 4]))).toEqual([9, 2, 3, 4]);
});

test('ways back do not count', () => {
  expect(order(graph([[1], [2], [3], [4]], [1, 2], [2, 3], [3, 2], [3, 4], [4, 1]))).toHaveLength(4);
  expect(order(graph([[5], [2], [3], [4]], [5, 2], [2, 3], [3, 2], [3, 4]))).toEqual([5, 2, 3, 4]);
});

test('a long chain is no deep recursion', () => {
  const n = 20_000;
  const g = graph(
    Array.from({ length: n }, (_, i) => [i + 1] as [number]),
    ...Array.from({ length: n - 1 }, (_, i) => [i + 1, i + 2] as [number, number]),
  );
  expect(order(g)).toHaveLength(n);
});

test('what does not fit is folded into one column that shows the worst', () => {
  const nodes = Array.from({ length: mostColumns + 10 }, (_, i) => ({ index: i + 1 }) as GraphNode);
  const columns = columnsOf(nodes, false);
  expect(columns).toHaveLength(mostColumns);
  const fold = columns.at(-1);
  if (!fold) throw new Error('no column');
  expect(fold.nodes).toHaveLength(11);
  expect(columnsOf(nodes, true)).toHaveLength(mostColumns + 10);
  expect(columnsOf(nodes.slice(0, mostColumns), false)).toHaveLength(mostColumns);
  expect(cellLook(fold, new Map())).toBe('NONE');
  expect(
    cellLook(
      fold,
      new Map([
        [55, 'FAILED'],
        [51, 'RUNNING'],
      ]),
    ),
  ).toBe('FAILED');
  expect(cellLook(fold, new Map([[1, 'FAILED']]))).toBe('NONE');
});

test('nodes are found by the index in their id, else by name', () => {
  const flow = [
    { index: 10, name: 'push' },
    { index: 12, name: 'push' },
    { index: 13, name: 'check' },
  ] as GraphNode[];
  const node = (id: string, name: string, more: Partial<Node> = {}) =>
    ({ id, name, state: 'FINISHED', ...more }) as Node;
  const looks = looksOf(
    [
      node('n000000000000001000000000000000c', 'push', { state: 'FAILED' }),
      node('n000000000000001000000000000000d', 'check', { skipped: true }),
      node('n000000000000001000000000000000e', 'elsewhere'),
    ],
    flow,
  );
  expect([...looks]).toEqual([
    [12, 'FAILED'],
    [13, 'SKIPPED'],
  ]);
  expect([...looksOf([node('x', 'push'), node('y', 'push', { state: 'RUNNING' })], flow)]).toEqual([
    [10, 'FINISHED'],
    [12, 'RUNNING'],
  ]);
});
