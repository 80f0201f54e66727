import type { Graph, GraphNode, Node } from '../api/types';
import type { Look } from '../ui/StateMark';

/** How many columns a grid has before the rest is folded. */
export const mostColumns = 50;

/** A column of the grid: one node of the top level, or those that are folded. */
export interface Column {
  key: string;
  nodes: readonly GraphNode[];
}

// Events and gateways do no work.
const working: readonly string[] = ['ServiceActivity', 'SubProcess'];

/** Gives the nodes of the top level that do some work, in the order of the flow; ways back do not count. */
export function flowOrder(graph: Graph): GraphNode[] {
  const nodes = new Map(graph.nodes.filter((n) => n.parent === 0).map((n) => [n.index, n]));
  const next = new Map<number, number[]>([...nodes.keys()].map((i) => [i, []]));
  for (const { from, to } of graph.edges) {
    if (nodes.has(from) && nodes.has(to)) next.get(from)?.push(to);
  }
  const entered = new Set<number>();
  for (const targets of next.values()) for (const t of targets) entered.add(t);
  // Where the flow begins comes first, so that only ways back are seen as such.
  const starts = [...nodes.keys()].filter((i) => !entered.has(i));
  const done = withoutWaysBack([...starts, ...nodes.keys()], next);
  return done.map((i) => nodes.get(i) as GraphNode).filter((n) => working.includes(n.kind));
}

// Sorts nodes so that each stands behind those that lead to it, without those of its successors that lead back to it.
// Of several that could follow, the one with the least depth, then the least index comes first.
function withoutWaysBack(starts: readonly number[], next: ReadonlyMap<number, readonly number[]>): number[] {
  const state = new Map<number, 'open' | 'done'>();
  const forward = new Map<number, number[]>();
  for (const start of starts) {
    if (state.has(start)) continue;
    const stack: { node: number; at: number }[] = [{ node: start, at: 0 }];
    state.set(start, 'open');
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as { node: number; at: number };
      const to = next.get(top.node)?.[top.at++];
      if (to === undefined) {
        state.set(top.node, 'done');
        stack.pop();
        continue;
      }
      if (state.get(to) === 'open') continue;
      forward.set(top.node, [...(forward.get(top.node) ?? []), to]);
      if (state.has(to)) continue;
      state.set(to, 'open');
      stack.push({ node: to, at: 0 });
    }
  }
  const missing = new Map<number, number>([...state.keys()].map((i) => [i, 0]));
  for (const targets of forward.values()) for (const t of targets) missing.set(t, (missing.get(t) ?? 0) + 1);
  const depth = new Map<number, number>();
  const order: number[] = [];
  let layer = [...missing].filter(([, n]) => n === 0).map(([i]) => i);
  for (let d = 0; layer.length > 0; d++) {
    const following: number[] = [];
    for (const i of layer.sort((a, b) => a - b)) {
      depth.set(i, d);
      order.push(i);
      for (const t of forward.get(i) ?? []) {
        const left = (missing.get(t) ?? 0) - 1;
        missing.set(t, left);
        if (left === 0) following.push(t);
      }
    }
    layer = following;
  }
  return order;
}

/** Makes the columns: when there are too many, those that do not fit are one. */
export function columnsOf(nodes: readonly GraphNode[], unfolded: boolean): Column[] {
  const one = (n: GraphNode): Column => ({ key: String(n.index), nodes: [n] });
  if (unfolded || nodes.length <= mostColumns) return nodes.map(one);
  return [...nodes.slice(0, mostColumns - 1).map(one), { key: 'fold', nodes: nodes.slice(mostColumns - 1) }];
}

// Of several nodes in one cell the one shows that needs a look the most.
const weight: Record<Look, number> = {
  FAILED: 9,
  NODE_SUSPENDED: 8,
  SUSPENDED: 7,
  RUNNING: 6,
  READY: 5,
  EXPIRED: 4,
  REVOKED: 4,
  NONE: 2,
  CREATED: 2,
  SKIPPED: 1,
  FINISHED: 0,
};

/** What a cell shows. */
export function cellLook(column: Column, looks: ReadonlyMap<number, Look>): Look {
  let worst: Look | undefined;
  for (const { index } of column.nodes) {
    const look = looks.get(index) ?? 'NONE';
    if (worst === undefined || weight[look] > weight[worst]) worst = look;
  }
  return worst ?? 'NONE';
}

/**
 * Tells how the nodes of the top level stand in one task, by index. The ids of nodes are each task's own and end with the
 * index; where one does not, the node is found by its name, and those of one name in the order of the flow.
 */
export function looksOf(nodes: readonly Node[], order: readonly GraphNode[]): Map<number, Look> {
  const looks = new Map<number, Look>();
  const names = new Map(order.map((n) => [n.index, n.name]));
  for (const node of nodes) {
    const last = Number.parseInt(node.id.slice(-indexDigits), 16);
    const index =
      names.get(last) === node.name ? last : order.find((n) => n.name === node.name && !looks.has(n.index))?.index;
    if (index !== undefined) looks.set(index, lookOf(node));
  }
  return looks;
}

// The hexadecimal digits of an index at the end of an id.
const indexDigits = 12;

function lookOf(node: Node): Look {
  if (node.skipped) return 'SKIPPED';
  return node.state === 'CREATED' ? 'NONE' : node.state;
}
