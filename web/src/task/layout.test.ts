import { expect, test } from 'vitest';
import { makeGraph } from './fixtures';
import { makeView } from './fold';
import { type Box, boxesOf, card, layered, layOut, levelsOf, spread } from './layout';
import { makeTree } from './model';
import { step } from './move';

function overlaps(boxes: readonly Box[]): number {
  let count = 0;
  boxes.forEach((a, i) => {
    for (const b of boxes.slice(i + 1)) {
      if (a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h) count++;
    }
  });
  return count;
}

function layoutOf(graph: ReturnType<typeof makeGraph>, open: number[] = []) {
  const tree = makeTree(graph);
  const view = makeView(tree, { open: new Set(open), folded: new Set() });
  const levels = levelsOf(view);
  return { view, levels, boxes: boxesOf(layOut(levels, layered)) };
}

test('places of the tree are kept, stretched until no cards overlap', () => {
  const places = { 1: { x: 0, y: 0 }, 2: { x: 160, y: 0 }, 3: { x: 160, y: 60 } };
  const { levels, boxes } = layoutOf(makeGraph('1>2 1>3', places));
  expect(levels[0]?.places).toHaveLength(6);
  expect(overlaps([...boxes.values()])).toBe(0);
  const [one, two, three] = [boxes.get(1), boxes.get(2), boxes.get(3)];
  expect(one?.y).toBe(two?.y);
  expect(two?.x).toBe(three?.x);
});

test('places that say nothing are not taken', () => {
  const same = { 1: { x: 5, y: 5 }, 2: { x: 5, y: 5 }, 3: { x: 5, y: 5 }, 4: { x: 5, y: 5 }, 5: { x: 5, y: 5 } };
  expect(layoutOf(makeGraph('1>2 2>3 3>4 4>5', same)).levels[0]?.places).toEqual([]);
  expect(layoutOf(makeGraph('1>2', { 1: { x: 5, y: 5 } })).levels[0]?.places).toEqual([]);
  const [w, h] = [card.w, card.h];
  expect(spread([0, 0, 1, 1], [w, h, w, h], [w, h, w, h])).toBeUndefined();
});

test('layers: no overlaps, what follows stands to the right, flows that lead back end nothing', () => {
  const { boxes } = layoutOf(makeGraph('1>2 2>3 2>4 2>5 3>6 4>6 5>6 6>7 7>2 1>6'));
  expect(overlaps([...boxes.values()])).toBe(0);
  const x = (index: number) => boxes.get(index)?.x ?? 0;
  for (const [a, b] of [
    [1, 2],
    [2, 3],
    [2, 5],
    [4, 6],
    [6, 7],
  ] as const)
    expect(x(a)).toBeLessThan(x(b));
});

const nested = makeGraph('1>2 2>3 4>5', {
  1: { x: 0, y: 0 },
  2: { kind: 'SubProcess', plugin: undefined, x: 300, y: 0 },
  3: { x: 600, y: 0 },
  4: { parent: 2, x: 0, y: 0 },
  5: { parent: 2, x: 400, y: 0 },
});

test('an unfolded subprocess holds its nodes and moves its neighbours away', () => {
  const { boxes } = layoutOf(nested, [2]);
  const frame = boxes.get(2) as Box;
  for (const index of [4, 5]) {
    const inner = boxes.get(index) as Box;
    expect(inner.x).toBeGreaterThan(frame.x);
    expect(inner.y).toBeGreaterThan(frame.y);
    expect(inner.x + inner.w).toBeLessThan(frame.x + frame.w);
    expect(inner.y + inner.h).toBeLessThan(frame.y + frame.h);
  }
  expect(overlaps([boxes.get(1), frame, boxes.get(3)] as Box[])).toBe(0);
});

test('arrows follow edges, into frames and out of them, and lead to what stands beside', () => {
  const { view, boxes } = layoutOf(nested, [2]);
  expect(step(view, boxes, 1, 'right')).toBe(2);
  expect(step(view, boxes, 2, 'right')).toBe(4);
  expect(step(view, boxes, 5, 'right')).toBe(3);
  expect(step(view, boxes, 4, 'left')).toBe(2);
  expect(step(view, boxes, 3, 'left')).toBe(2);
  const branches = layoutOf(makeGraph('1>2 1>3 1>4'));
  const order = [2, 3, 4].sort((a, b) => (branches.boxes.get(a)?.y ?? 0) - (branches.boxes.get(b)?.y ?? 0));
  expect(step(branches.view, branches.boxes, order[0] as number, 'down')).toBe(order[1]);
  expect(step(branches.view, branches.boxes, order[1] as number, 'up')).toBe(order[0]);
  expect(step(branches.view, branches.boxes, order[2] as number, 'down')).toBeUndefined();
});
