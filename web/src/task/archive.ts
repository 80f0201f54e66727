import type { Graph, GraphNode, Node, NodeState } from '../api';

/**
 * Makes what the page shows of a task out of the nodes that come with its status: of a task that was deleted the server
 * tells no more. How the nodes follow each other is not known then.
 */
export function fromNodes(nodes: readonly Node[]): { graph: Graph; states: NodeState[] } {
  const made: GraphNode[] = [];
  const states: NodeState[] = [];
  const add = (list: readonly Node[], parent: number) => {
    for (const node of list) {
      const { index, name, kind = '', plugin } = node;
      made.push({ index, name, kind, plugin, parent });
      states.push({
        index,
        id: node.id,
        state: node.state,
        phase: node.phase,
        loop: node.loop,
        retry: node.retry,
        skipped: node.skipped,
        error_ignored: node.error_ignored,
        version: node.version,
        started_at: node.started_at,
        called_at: node.called_at,
        finished_at: node.finished_at,
        error: node.error,
      });
      if (node.nodes) add(node.nodes, index);
    }
  };
  add(nodes, 0);
  return { graph: { tree: '', nodes: made, edges: [] }, states };
}
