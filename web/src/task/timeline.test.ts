import { expect, test } from 'vitest';
import type { Node, NodeState, TaskEvent } from '../api';
import { fromNodes } from './archive';
import { type Log, noEvents, withNewest, withOlder } from './events';
import { makeGraph, stateOf, statesOf } from './fixtures';
import { makeTree } from './model';
import { tableRows, type Wanted } from './nodes';
import { closedAtFirst, outlineRows } from './outline';
import { lanesOf, type Piece, piecesOf, tickStep } from './timeline';

const zero = Date.parse('2026-01-02T03:00:00Z');
const at = (seconds: number) => new Date(zero + seconds * 1000).toISOString();

let last = 0;
function event(index: number, to: TaskEvent['to'], seconds: number): TaskEvent {
  const from = to === 'READY' ? 'FAILED' : 'READY';
  return { revision: ++last, n: 0, index, node: `id${index}`, name: `n${index}`, from, to, at: at(seconds) };
}

const graph = makeGraph('1>2 2>3', {
  2: { plugin: 'pause_node' },
  3: { kind: 'SubProcess', plugin: undefined },
  4: { parent: 3 },
});
const tree = makeTree(graph);

test('pieces: queued, at work, failed until the retry, waiting for a person', () => {
  const events = [
    event(1, 'READY', 0),
    event(1, 'RUNNING', 2),
    { ...event(1, 'RUNNING', 3), from: 'RUNNING' as const }, // a callback changes no state
    event(1, 'FAILED', 5),
    event(1, 'RUNNING', 65),
    event(1, 'FINISHED', 70),
    event(2, 'RUNNING', 70),
  ];
  const pieces = piecesOf(events, tree, statesOf(stateOf(2, 'RUNNING', { phase: 'waiting' })));
  expect(told(pieces.get(1))).toEqual(['queued 0-2', 'ran! 2-5', 'failed 5-65', 'ran 65-70']);
  expect(told(pieces.get(2))).toEqual(['person 70-']);
});

test('how a node stands tells what it waits for now, and that it ended', () => {
  const events = [event(1, 'RUNNING', 0), event(4, 'RUNNING', 0)];
  const pieces = piecesOf(
    events,
    tree,
    statesOf(stateOf(1, 'RUNNING', { phase: 'waiting' }), stateOf(4, 'FINISHED', { finished_at: at(9) })),
  );
  expect(pieces.get(1)?.[0]).toMatchObject({ kind: 'callback', to: undefined });
  expect(pieces.get(4)?.[0]).toMatchObject({ kind: 'ran', to: zero + 9000 });
});

const told = (pieces: readonly Piece[] | undefined) =>
  pieces?.map(
    (p) => `${p.kind}${p.broke ? '!' : ''} ${(p.from - zero) / 1000}-${p.to === undefined ? '' : (p.to - zero) / 1000}`,
  );

test('before it was called a node stood in the queue, where that is known and was long enough', () => {
  const events = [event(1, 'RUNNING', 0), event(1, 'FINISHED', 20), event(2, 'RUNNING', 20)];
  const of = (called: number | undefined, second: Partial<NodeState> = {}) =>
    piecesOf(
      events,
      tree,
      statesOf(
        stateOf(1, 'FINISHED', {
          started_at: at(0),
          called_at: called === undefined ? undefined : at(called),
          finished_at: at(20),
        }),
        stateOf(2, 'RUNNING', { started_at: at(20), ...second }),
      ),
    );
  expect(told(of(12).get(1))).toEqual(['queued 0-12', 'ran 12-20']);
  for (const called of [undefined, 0, 0.9]) expect(told(of(called).get(1))).toEqual(['ran 0-20']);
  expect(told(of(0, { phase: 'queued' }).get(2))).toEqual(['queued 20-']);
  expect(told(of(0, { phase: 'waiting', called_at: at(25) }).get(2))).toEqual(['queued 20-25', 'person 25-']);
  // Without events, too.
  const states = statesOf(stateOf(1, 'FAILED', { started_at: at(0), called_at: at(5), finished_at: at(9) }));
  expect(told(lanesOf(tree, states, new Map(), new Set(), 5000)[0]?.pieces)).toEqual(['queued 0-5', 'ran! 5-9']);
});

test('of a node that was retried only the current attempt has its queue', () => {
  const events = [
    event(1, 'RUNNING', 0),
    event(1, 'FAILED', 5),
    event(1, 'READY', 9),
    event(1, 'RUNNING', 9),
    event(1, 'FINISHED', 30),
  ];
  const state = stateOf(1, 'FINISHED', { started_at: at(9), called_at: at(20), finished_at: at(30), retry: 1 });
  expect(told(piecesOf(events, tree, statesOf(state)).get(1))).toEqual([
    'ran! 0-5',
    'failed 5-9',
    'queued 9-20',
    'ran 20-30',
  ]);
});

test('lanes stand in order of start, a gap before one that began late, those of a subprocess below it', () => {
  const states = statesOf(
    stateOf(1, 'FINISHED', { started_at: at(0), finished_at: at(1) }),
    stateOf(2, 'FINISHED', { started_at: at(100), finished_at: at(110) }),
    stateOf(3, 'RUNNING', { started_at: at(110) }),
    stateOf(4, 'RUNNING', { started_at: at(111) }),
  );
  const lanes = lanesOf(tree, states, new Map(), new Set(), 5000);
  expect(lanes.map((l) => `${l.index} ${l.level}`)).toEqual(['1 1', '2 1', '3 1', '4 2']);
  expect(lanes[1]?.pieces.map((p) => p.kind)).toEqual(['idle', 'person']);
  expect(lanesOf(tree, states, new Map(), new Set([3]), 5000).map((l) => l.index)).toEqual([1, 2, 3]);
  expect(lanesOf(tree, states, new Map(), new Set(), 200_000)[1]?.pieces).toHaveLength(1);
});

test('marks of the axis are as far apart as asked', () => {
  expect(tickStep(10, 90)).toBe(1000);
  expect(tickStep(1000, 90)).toBe(120_000);
  expect(tickStep(10_000_000, 90)).toBe(11 * 86_400_000);
});

test('the log has no event twice and no gap', () => {
  const made = Array.from({ length: 10 }, (_, i) => ({ ...event(1, 'RUNNING', i), revision: i + 1 })).reverse();
  const page = (from: number, to: number) => ({
    events: made.slice(from, to),
    next_cursor: to < 10 ? `c${to}` : undefined,
  });
  let log: Log = withNewest(noEvents, page(4, 7));
  log = withOlder(log, page(6, 9));
  expect(log.events.map((e) => e.revision)).toEqual([6, 5, 4, 3, 2]);
  log = withNewest(log, page(2, 5));
  expect([log.events.map((e) => e.revision), log.older]).toEqual([[8, 7, 6, 5, 4, 3, 2], 'c9']);
  // Nothing of the new page is known: there may be more between.
  const short = withNewest(withNewest(noEvents, page(7, 8)), page(0, 3));
  expect([short.events.map((e) => e.revision), short.older]).toEqual([[10, 9, 8], 'c3']);
});

test('the table is filtered and sorted, those without a value at the end', () => {
  const states = statesOf(
    stateOf(1, 'FINISHED', { started_at: at(0), finished_at: at(30) }),
    stateOf(2, 'FAILED', { started_at: at(0), finished_at: at(3), retry: 2 }),
  );
  const rows = (wanted: Partial<Wanted>, by: Parameters<typeof tableRows>[3]['by'], down = false) =>
    tableRows(tree, states, { look: undefined, text: '', ...wanted }, { by, down }, (a, b) => a.localeCompare(b), zero);
  expect(rows({}, 'order')).toEqual([1, 2, 3, 4]);
  expect(rows({}, 'elapsed')).toEqual([2, 1, 3, 4]);
  expect(rows({}, 'elapsed', true)).toEqual([1, 2, 3, 4]);
  expect(rows({}, 'state')[0]).toBe(2);
  expect(rows({}, 'attempts', true)[0]).toBe(2);
  expect(rows({ look: 'FAILED' }, 'order')).toEqual([2]);
  expect(rows({ look: 'ACTIVE' }, 'order')).toEqual([2]);
  expect(rows({ text: ' PAUSE_' }, 'order')).toEqual([2]);
});

test('the outline has activities and subprocesses, gateways only when they failed', () => {
  const g = makeTree(
    makeGraph('1>2 2>3', {
      2: { kind: 'ExclusiveGateway', plugin: undefined },
      3: { kind: 'SubProcess' },
      4: { parent: 3 },
    }),
  );
  const told = (closed: number[], failed: boolean) =>
    outlineRows(g, failed ? statesOf(stateOf(2, 'FAILED')) : new Map(), new Set(closed)).map(
      (r) => `${r.index} ${r.level} ${r.open}`,
    );
  expect(told([], false)).toEqual(['1 1 undefined', '3 1 true', '4 2 undefined']);
  expect(told([3], true)).toEqual(['1 1 undefined', '2 1 undefined', '3 1 false']);
  expect(closedAtFirst(g).size).toBe(0);
});

test('of a deleted task its nodes are made from its status', () => {
  const node = (index: number, id: string, nodes?: Node[]) =>
    ({
      index,
      id,
      parent: '',
      name: id,
      kind: nodes ? 'SubProcess' : 'ServiceActivity',
      state: 'FINISHED',
      loop: 1,
      retry: 0,
      elapsed_s: 0,
      nodes,
    }) as Node;
  const { graph, states } = fromNodes([node(2, 'a'), node(3, 'b', [node(5, 'c')]), node(4, 'd')]);
  expect(graph.nodes.map((n) => `${n.index} ${n.name} ${n.parent}`)).toEqual(['2 a 0', '3 b 0', '5 c 3', '4 d 0']);
  expect(states.map((s) => `${s.index} ${s.id}`)).toEqual(['2 a', '3 b', '5 c', '4 d']);
});
