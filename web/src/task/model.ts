import type { Graph, GraphEdge, GraphNode, NodeState } from '../api';
import type { Look } from '../ui';

/** A graph made ready to be walked through: which node holds which, what follows what, and in which order. */
export interface Tree {
  graph: Graph;
  node: ReadonlyMap<number, GraphNode>;
  /** The nodes of a subprocess, 0 for those of the task, in order of execution. */
  children: ReadonlyMap<number, readonly number[]>;
  into: ReadonlyMap<number, readonly GraphEdge[]>;
  out: ReadonlyMap<number, readonly GraphEdge[]>;
  /** All nodes in order of execution, those of a subprocess behind it. */
  order: readonly number[];
  /** The place of each node in that order. */
  place: ReadonlyMap<number, number>;
}

const none: readonly never[] = [];

export function isSubprocess(node: GraphNode): boolean {
  return node.kind === 'SubProcess';
}

export function isGateway(node: GraphNode): boolean {
  return node.kind.endsWith('Gateway');
}

export function isEvent(node: GraphNode): boolean {
  return node.kind.endsWith('Event');
}

/** Whether it does work: these count for the progress. */
export function isActivity(node: GraphNode): boolean {
  return !isSubprocess(node) && !isGateway(node) && !isEvent(node);
}

/** Makes a tree of a graph. */
export function makeTree(graph: Graph): Tree {
  const node = new Map(graph.nodes.map((n) => [n.index, n]));
  const into = new Map<number, GraphEdge[]>();
  const out = new Map<number, GraphEdge[]>();
  for (const edge of graph.edges) {
    if (!node.has(edge.from) || !node.has(edge.to)) continue;
    push(out, edge.from, edge);
    push(into, edge.to, edge);
  }
  const levels = new Map<number, number[]>();
  for (const n of graph.nodes) push(levels, n.parent, n.index);
  const children = new Map<number, readonly number[]>();
  for (const [parent, members] of levels) children.set(parent, inOrder(members, into, out));
  const order: number[] = [];
  const stack = [...(children.get(0) ?? none)].reverse();
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    order.push(index);
    const inner = children.get(index);
    if (inner) for (let i = inner.length - 1; i >= 0; i--) stack.push(inner[i] as number);
  }
  return { graph, node, children, into, out, order, place: new Map(order.map((index, i) => [index, i])) };
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

// Reverse postorder of a walk from the nodes that nothing leads to: each node stands behind all that lead to it, but for
// flows that lead back.
function inOrder(members: number[], into: Map<number, GraphEdge[]>, out: Map<number, GraphEdge[]>): number[] {
  const seen = new Set<number>();
  const done: number[] = [];
  const walk = (start: number) => {
    if (seen.has(start)) return;
    seen.add(start);
    const path: { index: number; next: number }[] = [{ index: start, next: (out.get(start)?.length ?? 0) - 1 }];
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const edge = out.get(top.index)?.[top.next--];
      if (!edge) {
        done.push(top.index);
        path.pop();
      } else if (!seen.has(edge.to)) {
        seen.add(edge.to);
        path.push({ index: edge.to, next: (out.get(edge.to)?.length ?? 0) - 1 });
      }
    }
  };
  const begin = members.filter((m) => !into.get(m)?.length);
  // The walk begins with the last, so that the first comes first once it is turned round.
  for (const index of begin.reverse()) walk(index);
  for (const index of members.toReversed()) walk(index);
  return done.reverse();
}

/** The subprocesses around a node, the outermost first. */
export function around(tree: Tree, index: number): number[] {
  const path: number[] = [];
  for (let parent = tree.node.get(index)?.parent ?? 0; parent > 0; parent = tree.node.get(parent)?.parent ?? 0) {
    path.unshift(parent);
    if (path.length > 1000) break;
  }
  return path;
}

/** What is shown of a node that stands like this. */
export function lookOf(state: NodeState | undefined): Look {
  if (!state) return 'NONE';
  return state.skipped && state.state === 'FINISHED' ? 'SKIPPED' : state.state;
}

/** Whether something goes on in a node or should. */
export function isActive(state: NodeState | undefined): boolean {
  return state?.state === 'RUNNING' || state?.state === 'READY';
}

// Its nodes run a flow as a task of its own.
const makesTasks = 'subprocess_plugin';

/** Changes when a node that makes child tasks may have made one; empty while none has begun. */
export function childrenMark(tree: Tree, states: States): string {
  const marks: string[] = [];
  for (const { index, plugin } of tree.graph.nodes) {
    const state = plugin === makesTasks ? states.get(index) : undefined;
    if (state) marks.push([index, state.version, state.state, state.phase].join(' '));
  }
  return marks.join();
}

export interface Counts {
  total: number;
  done: number;
  failed: number;
  running: number;
  paused: number;
}

function noCounts(): Counts {
  return { total: 0, done: 0, failed: 0, running: 0, paused: 0 };
}

function count(counts: Counts, state: NodeState | undefined): void {
  counts.total++;
  switch (state?.state) {
    case 'FINISHED':
      counts.done++;
      break;
    case 'FAILED':
      counts.failed++;
      break;
    case 'RUNNING':
    case 'READY':
      counts.running++;
      break;
    case 'SUSPENDED':
    case 'NODE_SUSPENDED':
      counts.paused++;
      break;
  }
}

export type States = ReadonlyMap<number, NodeState>;

/** Counts the activities among some nodes, and in the subprocesses among them. */
export function countAmong(tree: Tree, states: States, members: readonly number[]): Counts {
  const counts = noCounts();
  const stack = [...members];
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    const node = tree.node.get(index);
    if (!node) continue;
    if (isActivity(node)) count(counts, states.get(index));
    const inner = tree.children.get(index);
    if (inner) stack.push(...inner);
  }
  return counts;
}

const counted = new WeakMap<States, { tree: Tree; counts: Map<number, Counts> }>();

/** Counts the activities in each subprocess, 0 for the task; once for each map of states. */
export function countsOf(tree: Tree, states: States): ReadonlyMap<number, Counts> {
  const known = counted.get(states);
  if (known?.tree === tree) return known.counts;
  const counts = new Map<number, Counts>();
  for (const parent of tree.children.keys()) counts.set(parent, noCounts());
  for (let i = tree.order.length - 1; i >= 0; i--) {
    const node = tree.node.get(tree.order[i] as number);
    const outer = node && counts.get(node.parent);
    if (!node || !outer) continue;
    const inner = counts.get(node.index);
    // Behind a subprocess stand its nodes, so going backwards it is complete when it is reached.
    if (inner) add(outer, inner);
    else if (isActivity(node)) count(outer, states.get(node.index));
  }
  counted.set(states, { tree, counts });
  return counts;
}

function add(to: Counts, of: Counts): void {
  to.total += of.total;
  to.done += of.done;
  to.failed += of.failed;
  to.running += of.running;
  to.paused += of.paused;
}

/** The look of many nodes as one: the one that needs a person most. */
export function lookOfCounts(c: Counts): Look {
  if (c.failed > 0) return 'FAILED';
  if (c.paused > 0) return 'SUSPENDED';
  if (c.running > 0) return 'RUNNING';
  if (c.total > 0 && c.done === c.total) return 'FINISHED';
  return c.done > 0 ? 'RUNNING' : 'NONE';
}

/** The nodes that FAILED, in order of execution: activities first of all, a subprocess only when none in it is the cause. */
export function failedNodes(tree: Tree, states: States): number[] {
  const counts = countsOf(tree, states);
  return tree.order.filter((index) => {
    if (states.get(index)?.state !== 'FAILED') return false;
    return (counts.get(index)?.failed ?? 0) === 0;
  });
}

/** The nodes at work, in order of execution, without the subprocesses around them. */
export function runningNodes(tree: Tree, states: States): number[] {
  return tree.order.filter((index) => isActive(states.get(index)) && !tree.children.has(index));
}

/** The next of some nodes behind or before one, round the end. */
export function nextOf(members: readonly number[], tree: Tree, from: number | undefined, step: 1 | -1) {
  if (members.length === 0) return undefined;
  const place = from === undefined ? undefined : tree.place.get(from);
  if (place === undefined) return step > 0 ? members[0] : members.at(-1);
  const at = (index: number) => tree.place.get(index) ?? 0;
  if (step > 0) return members.find((m) => at(m) > place) ?? members[0];
  return members.findLast((m) => at(m) < place) ?? members.at(-1);
}

/** Whether an edge was gone along, as far as the states of its ends tell. */
export function isTaken(tree: Tree, states: States, edge: GraphEdge): boolean {
  const from = states.get(edge.from);
  const to = states.get(edge.to);
  if (!from || !to) return false;
  if (from.state !== 'FINISHED' && tree.node.get(edge.from)?.kind !== 'EmptyStartEvent') {
    return from.loop > 1 || (to.started_at !== undefined && from.finished_at !== undefined);
  }
  return to.started_at !== undefined || to.state !== 'CREATED';
}

/** A name bounded and without characters that turn the text around them. */
export function plainName(name: string, most = 300): string {
  let short = name;
  if (name.length > most) {
    // Half a surrogate pair would show as a box.
    const end = /[\uD800-\uDBFF]/.test(name.charAt(most - 1)) ? most - 1 : most;
    short = `${name.slice(0, end)}…`;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return short.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g, ' ').trim();
}
