import type { Graph, GraphEdge, GraphNode, NodeState, NodeStateName } from '../api';

type Made = Partial<GraphNode> & { kind?: string };

/** Makes a graph for a test from edges such as `1>2`; nodes are activities unless `nodes` says otherwise. */
export function makeGraph(edges: string, nodes: Record<number, Made> = {}): Graph {
  const made = new Map<number, GraphNode>();
  const need = (index: number) => {
    if (made.has(index)) return;
    made.set(index, { index, name: `n${index}`, kind: 'ServiceActivity', plugin: 'p', parent: 0, ...nodes[index] });
  };
  const list: GraphEdge[] = edges
    .split(/\s+/)
    .filter(Boolean)
    .map((edge, i) => {
      const [from = 0, to = 0] = edge.split('>').map(Number);
      need(from);
      need(to);
      return { from, to, index: i + 1 };
    });
  for (const index of Object.keys(nodes)) need(Number(index));
  return { tree: edges, nodes: [...made.values()].sort((a, b) => a.index - b.index), edges: list };
}

/** Makes the state of a node for a test. */
export function stateOf(index: number, state: NodeStateName, more: Partial<NodeState> = {}): NodeState {
  return { index, id: `id${index}`, state, loop: 1, retry: 0, ...more };
}

/** Makes states of several nodes for a test. */
export function statesOf(...states: NodeState[]): Map<number, NodeState> {
  return new Map(states.map((s) => [s.index, s]));
}
