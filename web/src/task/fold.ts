import type { GraphEdge, GraphNode } from '../api';
import { isEvent, isGateway, isSubprocess, type Tree } from './model';

/** Something that the graph shows: a node, a subprocess, or many alike branches as one. */
export interface Item {
  /** The index of the node; of a group that of its first node, negative. */
  key: number;
  kind: 'node' | 'sub' | 'group';
  /** Of a group the first node of its first branch. */
  node: GraphNode;
  /** The subprocess around it that is unfolded, 0 for none. */
  parent: number;
  /** A subprocess that is unfolded: a frame around its nodes. */
  open: boolean;
  /** Of a group: the first nodes of its branches. */
  heads: readonly number[];
  /** Of a group: all of its nodes. */
  members: readonly number[];
}

export interface Link {
  from: number;
  to: number;
  edges: readonly GraphEdge[];
}

/** What of a tree is shown as the folds are. */
export interface View {
  items: readonly Item[];
  links: readonly Link[];
  item: ReadonlyMap<number, Item>;
  out: ReadonlyMap<number, readonly number[]>;
  into: ReadonlyMap<number, readonly number[]>;
  /** Gives the item that shows a node or hides it. */
  keyOf: (index: number) => number | undefined;
}

/** Many branches of one split that are made alike. */
export interface Group {
  key: number;
  parent: number;
  heads: number[];
  members: number[];
}

/** Which subprocesses are unfolded and which groups are folded. */
export interface Folds {
  open: ReadonlySet<number>;
  folded: ReadonlySet<number>;
}

/** Above so many items groups fold by themselves. */
export const foldAbove = 200;
/** From so many alike branches on there is a group. */
export const leastGroup = 4;

const found = new WeakMap<Tree, ReadonlyMap<number, Group>>();

/** The groups of a tree, by key. */
export function groupsOf(tree: Tree): ReadonlyMap<number, Group> {
  let groups = found.get(tree);
  if (!groups) {
    groups = findGroups(tree);
    found.set(tree, groups);
  }
  return groups;
}

function findGroups(tree: Tree): Map<number, Group> {
  const groups = new Map<number, Group>();
  for (const index of tree.order) {
    const out = tree.out.get(index);
    const split = tree.node.get(index);
    if (!out || !split || out.length < leastGroup) continue;
    const alike = new Map<string, number[][]>();
    for (const edge of out) {
      const branch = branchFrom(tree, edge.to);
      if (!branch) continue;
      const like = alike.get(branch.made);
      if (like) like.push(branch.nodes);
      else alike.set(branch.made, [branch.nodes]);
    }
    for (const branches of alike.values()) {
      const first = branches[0]?.[0];
      if (branches.length < leastGroup || first === undefined) continue;
      groups.set(-first, {
        key: -first,
        parent: split.parent,
        heads: branches.map((b) => b[0] as number),
        members: branches.flat(),
      });
    }
  }
  return groups;
}

const longestBranch = 20;

// The chain of nodes from one on to where branches meet, with how it is made.
function branchFrom(tree: Tree, start: number): { nodes: number[]; made: string } | undefined {
  const nodes: number[] = [];
  const made: string[] = [];
  let at = start;
  while ((tree.into.get(at)?.length ?? 0) === 1) {
    const node = tree.node.get(at);
    const out = tree.out.get(at) ?? [];
    if (!node || isEvent(node) || isGateway(node) || out.length > 1 || nodes.length >= longestBranch) return undefined;
    nodes.push(at);
    made.push(isSubprocess(node) ? `sub ${tree.children.get(at)?.length}` : `${node.kind} ${node.plugin}`);
    if (!out[0]) return { nodes, made: made.join('\n') };
    at = out[0].to;
  }
  return nodes.length > 0 ? { nodes, made: `${made.join('\n')}\n${at}` } : undefined;
}

/** How many items would be shown. */
export function countItems(tree: Tree, folds: Folds): number {
  const groups = groupsOf(tree);
  let hidden = 0;
  for (const key of folds.folded) {
    const group = groups.get(key);
    if (group && isShown(tree, group.parent, folds.open)) hidden += group.members.length - 1;
  }
  let count = 0;
  for (const [parent, members] of tree.children) if (isShown(tree, parent, folds.open)) count += members.length;
  return count - hidden;
}

function isShown(tree: Tree, parent: number, open: ReadonlySet<number>): boolean {
  for (let p = parent; p > 0; p = tree.node.get(p)?.parent ?? 0) if (!open.has(p)) return false;
  return true;
}

/** How a graph is shown at first. */
export function firstFolds(tree: Tree): Folds {
  const folds: Folds = { open: new Set(), folded: new Set() };
  return countItems(tree, folds) > foldAbove ? { open: folds.open, folded: groupsWithin(tree, 0) } : folds;
}

function groupsWithin(tree: Tree, parent: number): Set<number> {
  return new Set([...groupsOf(tree).values()].filter((g) => g.parent === parent).map((g) => g.key));
}

/** Unfolds subprocesses. When too much would be shown then, the groups in them fold. */
export function unfold(tree: Tree, folds: Folds, subs: readonly number[]): Folds {
  const news = subs.filter((s) => !folds.open.has(s) && tree.children.has(s));
  if (news.length === 0) return folds;
  const open = new Set([...folds.open, ...news]);
  const next = { open, folded: folds.folded };
  if (countItems(tree, next) <= foldAbove) return next;
  return { open, folded: new Set([...folds.folded, ...news.flatMap((s) => [...groupsWithin(tree, s)])]) };
}

/**
 * Folds what is unfolded, and the other way round: a subprocess by its index, a group by its key. By the index of another
 * node the group folds in which it is.
 */
export function toggle(tree: Tree, folds: Folds, key: number): Folds {
  if (key > 0) {
    if (!tree.children.has(key)) {
      const group = [...groupsOf(tree).values()].find((g) => g.members.includes(key));
      return group ? { open: folds.open, folded: new Set([...folds.folded, group.key]) } : folds;
    }
    if (!folds.open.has(key)) return unfold(tree, folds, [key]);
    const open = new Set(folds.open);
    open.delete(key);
    return { open, folded: folds.folded };
  }
  if (!groupsOf(tree).has(key)) return folds;
  const folded = new Set(folds.folded);
  if (!folded.delete(key)) folded.add(key);
  return { open: folds.open, folded };
}

/** Everything unfolded, or everything folded. */
export function allFolds(tree: Tree, unfolded: boolean): Folds {
  if (!unfolded) return { open: new Set(), folded: new Set(groupsOf(tree).keys()) };
  return { open: new Set([...tree.children.keys()].filter((k) => k > 0)), folded: new Set() };
}

/** Names the folds, for what is kept by them. */
export function foldsKey(folds: Folds): string {
  const list = (set: ReadonlySet<number>) => [...set].sort((a, b) => a - b).join(',');
  return `${list(folds.open)};${list(folds.folded)}`;
}

/** Makes the view of a tree. */
export function makeView(tree: Tree, folds: Folds): View {
  const groups = groupsOf(tree);
  const inGroup = new Map<number, number>();
  for (const key of folds.folded) for (const m of groups.get(key)?.members ?? []) inGroup.set(m, key);
  const items: Item[] = [];
  const item = new Map<number, Item>();
  const add = (one: Item) => {
    items.push(one);
    item.set(one.key, one);
  };
  const none: readonly number[] = [];
  const levels = [0];
  for (let parent = levels.pop(); parent !== undefined; parent = levels.pop()) {
    for (const index of tree.children.get(parent) ?? none) {
      const node = tree.node.get(index);
      if (!node) continue;
      const key = inGroup.get(index);
      if (key !== undefined) {
        const group = groups.get(key);
        if (group && !item.has(key)) {
          const first = tree.node.get(-key) ?? node;
          add({ key, kind: 'group', node: first, parent, open: false, heads: group.heads, members: group.members });
        }
        continue;
      }
      const sub = tree.children.has(index);
      const open = sub && folds.open.has(index);
      add({ key: index, kind: sub ? 'sub' : 'node', node, parent, open, heads: none, members: none });
      if (open) levels.push(index);
    }
  }
  const shows = (index: number): number | undefined => {
    const key = inGroup.get(index) ?? index;
    return item.has(key) ? key : undefined;
  };
  const links = new Map<string, { from: number; to: number; edges: GraphEdge[] }>();
  const out = new Map<number, number[]>();
  const into = new Map<number, number[]>();
  for (const edge of tree.graph.edges) {
    const from = shows(edge.from);
    const to = shows(edge.to);
    if (from === undefined || to === undefined || (from === to && from < 0)) continue;
    const name = `${from} ${to}`;
    const known = links.get(name);
    if (known) {
      known.edges.push(edge);
      continue;
    }
    links.set(name, { from, to, edges: [edge] });
    out.set(from, [...(out.get(from) ?? []), to]);
    into.set(to, [...(into.get(to) ?? []), from]);
  }
  const keyOf = (index: number) => {
    for (let at = index; at > 0; at = tree.node.get(at)?.parent ?? 0) {
      const key = shows(at);
      if (key !== undefined) return key;
    }
    return undefined;
  };
  return { items, links: [...links.values()], item, out, into, keyOf };
}
