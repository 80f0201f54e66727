import { expect, test } from 'vitest';
import { makeGraph } from './fixtures';
import { allFolds, countItems, firstFolds, foldsKey, groupsOf, makeView, toggle, unfold } from './fold';
import { makeTree } from './model';

// A split with so many branches: each a push and a check, but for one that is made otherwise.
function fan(width: number, parent = 0, from = 0) {
  const edges: string[] = [];
  const nodes: Parameters<typeof makeGraph>[1] = {};
  const [start, split, join] = [from + 1, from + 2, from + 3];
  nodes[start] = { kind: 'EmptyStartEvent', plugin: undefined, parent };
  nodes[split] = { kind: 'ParallelGateway', plugin: undefined, parent };
  nodes[join] = { kind: 'ConvergeGateway', plugin: undefined, parent };
  edges.push(`${start}>${split}`);
  for (let i = 0; i < width; i++) {
    const [push, check] = [from + 10 + 2 * i, from + 11 + 2 * i];
    nodes[push] = { plugin: i === 0 ? 'other' : 'push', parent };
    nodes[check] = { plugin: 'check', parent };
    edges.push(`${split}>${push}`, `${push}>${check}`, `${check}>${join}`);
  }
  return { edges, nodes };
}

test('branches that are made alike are a group, others are not in it', () => {
  const { edges, nodes } = fan(6);
  const tree = makeTree(makeGraph(edges.join(' '), nodes));
  const groups = [...groupsOf(tree).values()];
  expect(groups).toHaveLength(1);
  expect(groups[0]).toMatchObject({ key: -12, parent: 0, heads: [12, 14, 16, 18, 20] });
  expect(groups[0]?.members).toHaveLength(10);
});

test('groups fold by themselves only when much would be shown', () => {
  const few = fan(20);
  expect(firstFolds(makeTree(makeGraph(few.edges.join(' '), few.nodes))).folded.size).toBe(0);
  const many = fan(128);
  const tree = makeTree(makeGraph(many.edges.join(' '), many.nodes));
  const folds = firstFolds(tree);
  expect([...folds.folded]).toEqual([-12]);
  expect(countItems(tree, folds)).toBe(6);
  const view = makeView(tree, folds);
  expect(view.items.map((i) => i.key).sort((a, b) => a - b)).toEqual([-12, 1, 2, 3, 10, 11]);
  expect(view.item.get(-12)?.heads).toHaveLength(127);
  expect(view.out.get(-12)).toEqual([3]);
  expect(view.links.find((l) => l.to === -12)?.edges).toHaveLength(127);
  expect(view.keyOf(15)).toBe(-12);
  const all = toggle(tree, folds, -12);
  expect(makeView(tree, all).items).toHaveLength(259);
  expect([...toggle(tree, all, 15).folded]).toEqual([-12]);
});

test('a subprocess that is unfolded folds its groups when too much would be shown', () => {
  const inner = fan(128, 2, 100);
  const graph = makeGraph(['1>2 2>3', ...inner.edges].join(' '), {
    2: { kind: 'SubProcess', plugin: undefined },
    ...inner.nodes,
  });
  const tree = makeTree(graph);
  const first = firstFolds(tree);
  const closed = makeView(tree, first);
  expect(closed.items.map((i) => i.key)).toEqual([1, 2, 3]);
  expect(closed.keyOf(115)).toBe(2);
  const open = unfold(tree, first, [2]);
  expect([...open.folded]).toEqual([-112]);
  const view = makeView(tree, open);
  expect(view.items).toHaveLength(9);
  expect(view.item.get(2)).toMatchObject({ open: true });
  expect(view.keyOf(115)).toBe(-112);
  expect(makeView(tree, toggle(tree, open, 2)).items).toHaveLength(3);
  expect(makeView(tree, allFolds(tree, true)).items).toHaveLength(graph.nodes.length);
  expect(foldsKey(open)).not.toBe(foldsKey(first));
});
