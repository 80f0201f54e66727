import { expect, test } from 'vitest';
import type { Graph, GraphNode, NodeDetail, NodeState } from '../api';
import { aroundOf, attemptsOf, changeMark, inputRows, lookOf, takenBranches } from './attempts';
import { callbackCurl, curlOf, nodeId } from './ids';
import { roughSize } from './JsonView';
import { beginning, hasOdd, pieces } from './odd';

test('ids of nodes are those of the server, and the call to copy has no secret', () => {
  expect(nodeId(99, 3)).toBe('n0000000000000630000000000000003');
  expect(nodeId(2 ** 52, 4096)).toBe('n0100000000000000000000000001000');
  expect(nodeId(1, 1)).toHaveLength(32);
  expect(curlOf(1, 99, nodeId(99, 3), 2)).toMatch(
    /^curl -sS -H "Authorization: Bearer \$STDOPS_TOKEN" 'http.*\/api\/v1\/projects\/1\/tasks\/99\/nodes\/n0+630+3\?loop=2'$/,
  );
  // Quotes in what is sent do not end it.
  const data = { said: "it's done" };
  expect(callbackCurl(1, 99, { node: 'n1', version: 'v2', data })).toMatch(
    /^curl -sS -X POST -H "Authorization: Bearer \$STDOPS_TOKEN" -H 'Content-Type: application\/json' 'http.*\/api\/v1\/projects\/1\/tasks\/99\/commands' -d '\{"command":"callback","node":"n1","version":"v2","data":\{"said":"it'\\''s done"\}\}'$/,
  );
});

test('characters that hide or reorder others are named, all others stay', () => {
  const shown = (text: string) =>
    pieces(text)
      .map((p) => (p.odd ? `<${p.text}>` : p.text))
      .join('');
  expect(shown('a\u202eb\u0000c\u200bd\ufeff')).toBe('a<U+202E>b<\u2400>c<U+200B>d<U+FEFF>');
  expect(shown('tab\tline\n推送 e\u0301 👩‍👩‍👧 עברית')).toBe('tab\tline\n推送 e\u0301 👩‍👩‍👧 עברית');
  expect(shown('\u{e0041}\ud800x')).toBe('<U+E0041><U+D800>x');
  expect([hasOdd('\u2066'), hasOdd('plain'), hasOdd('\u2066')]).toEqual([true, false, true]);
  expect(beginning('a👧b', 2)).toBe('a');
  expect(beginning('a👧b', 3)).toBe('a👧');
});

const node = (index: number, parent = 0): GraphNode => ({ index, name: `${index}`, kind: 'ServiceActivity', parent });
const state = (index: number, more: Partial<NodeState> = {}): NodeState => ({
  index,
  id: nodeId(1, index),
  state: 'FINISHED',
  loop: 1,
  retry: 0,
  ...more,
});

test('the subprocesses around a node, also when a graph is wrong', () => {
  const graph: Graph = { tree: '', nodes: [node(1), node(2, 1), node(3, 2), node(4, 4)], edges: [] };
  expect(aroundOf(graph, 3).map((n) => n.index)).toEqual([1, 2]);
  expect(aroundOf(graph, 1)).toEqual([]);
  expect(aroundOf(graph, 4).length).toBeLessThanOrEqual(4);
});

test('the branches that were taken lead to nodes that began', () => {
  const graph: Graph = {
    tree: '',
    nodes: [1, 2, 3].map((i) => node(i)),
    edges: [
      { from: 1, to: 2, index: 0 },
      { from: 1, to: 3, index: 1 },
    ],
  };
  const states = new Map([1, 2].map((i) => [i, state(i, { started_at: '2026-01-01T00:00:00Z' })]));
  expect(takenBranches(graph, states, 1)).toEqual(new Set([2]));
  states.set(1, state(1, { state: 'FAILED' }));
  expect(takenBranches(graph, states, 1)).toBeUndefined();
});

test('attempts: earlier ones, then the current one', () => {
  const base = { index: 1, id: 'n', parent: '', name: 'A', loop: 1, elapsed_s: 1 };
  const detail = {
    ...base,
    state: 'FINISHED',
    retry: 1,
    inputs: { a: 2 },
    outputs: [{ key: 'k', value: 1 }],
    attempts: [{ ...base, state: 'FAILED', retry: 0, error: 'bad', inputs: { a: 1 }, outputs: { ex_data: 'bad' } }],
  } as NodeDetail;
  const all = attemptsOf(detail);
  expect(all.map((a) => [a.number, a.current, a.state, a.error])).toEqual([
    [1, false, 'FAILED', 'bad'],
    [2, true, 'FINISHED', ''],
  ]);
  expect(all[0]?.outputs).toEqual([{ key: 'ex_data', value: 'bad' }]);
});

test('a node is loaded anew when it stands otherwise', () => {
  const now = state(1, { state: 'RUNNING', phase: 'executing', version: 'v1' });
  for (const change of [
    { phase: 'waiting' },
    { version: 'v2' },
    { retry: 1 },
    { loop: 2 },
    { state: 'FAILED' },
  ] as const) {
    expect(changeMark({ ...now, ...change })).not.toBe(changeMark(now));
  }
  expect(changeMark({ ...now })).toBe(changeMark(now));
  expect(lookOf({ state: 'CREATED' })).toBe('NONE');
  expect(lookOf({ state: 'CREATED', phase: 'appointed' })).toBe('CREATED');
  expect(lookOf({ state: 'FINISHED', skipped: true })).toBe('SKIPPED');
});

test('templates stand beside what became of them', () => {
  expect(inputRows({ a: '{{x}}', b: 1 }, { a: 'y', b: 1, c: 2, _loop: 1, _inner_loop: 1 })).toEqual([
    { key: 'a', template: '{{x}}', rendered: 'y' },
    { key: 'b', template: 1, rendered: 1 },
    { key: 'c', rendered: 2 },
  ]);
  expect(inputRows(undefined, { a: null })).toEqual([{ key: 'a', rendered: null }]);
  expect(inputRows({ a: 1 }, null)).toEqual([{ key: 'a', template: 1 }]);
});

test('sizes are counted up to a bound only', () => {
  const large = Array.from({ length: 1e5 }, () => 'x'.repeat(50));
  expect(roughSize(large, 400)).toBeLessThan(1000);
  expect(roughSize({ a: 1 }, 400)).toBeLessThan(20);
});
