import type { NodeState } from '../api';
import { isActivity, type States, type Tree } from './model';

/** The nodes that decided how long a task took. */
export interface Critical {
  /** In the order in which they ran, those of a subprocess behind it. */
  chain: readonly number[];
  nodes: ReadonlySet<number>;
  /** Activities among them. */
  steps: number;
  /** Milliseconds that they were under way, those inside of subprocesses only. */
  inside: number;
}

/**
 * The critical path by what happened: from what ended last back to the start, each time to the one before it that ended last,
 * for without that it would have begun earlier. While the task goes on it ends with what has been open longest. Subprocesses
 * have a path of their own inside. Of nodes in a loop only the last round is known; so what a loop's first node was entered
 * from at first stands before it, and the earlier rounds are time between the two.
 */
export function criticalPath(tree: Tree, states: States, now: number): Critical {
  const chain: number[] = [];
  const enter = (parent: number, level: number) => {
    for (const index of levelPath(tree, states, parent)) {
      chain.push(index);
      if (tree.children.has(index) && level < 100) enter(index, level + 1);
    }
  };
  enter(0, 1);
  let inside = 0;
  let steps = 0;
  for (const index of chain) {
    const node = tree.node.get(index);
    const from = startOf(states.get(index));
    if (!node || !isActivity(node)) continue;
    steps++;
    if (from < Infinity) inside += Math.max(0, Math.min(now, endOf(states.get(index))) - from);
  }
  return { chain, nodes: new Set(chain), steps, inside };
}

function levelPath(tree: Tree, states: States, parent: number): number[] {
  const path: number[] = [];
  const seen = new Set<number>();
  let at = lastOf(tree.children.get(parent) ?? [], states);
  while (at !== undefined) {
    seen.add(at);
    path.push(at);
    const from = startOf(states.get(at));
    const before = (tree.into.get(at) ?? []).map((edge) => edge.from);
    at = latest(
      before.filter((index) => !seen.has(index) && endOf(states.get(index)) <= from),
      states,
    );
  }
  return path.reverse();
}

// What a level stands at: the open one that began first, else what ended last.
function lastOf(members: readonly number[], states: States): number | undefined {
  let open: number | undefined;
  for (const index of members) {
    const state = states.get(index);
    if (!isOpen(state)) continue;
    if (open === undefined || startOf(state) < startOf(states.get(open))) open = index;
  }
  return open ?? latest(members, states);
}

function latest(members: readonly number[], states: States): number | undefined {
  let last: number | undefined;
  for (const index of members) {
    const end = endOf(states.get(index));
    // Of those that ended at the same moment the one that comes later in the graph.
    if (end < Infinity && (last === undefined || end >= endOf(states.get(last)))) last = index;
  }
  return last;
}

// One that failed is open too: it holds up what comes behind it.
function isOpen(state: NodeState | undefined): boolean {
  return (
    state !== undefined && state.state !== 'FINISHED' && (state.started_at !== undefined || state.state === 'READY')
  );
}

function startOf(state: NodeState | undefined): number {
  return state?.started_at ? Date.parse(state.started_at) : Infinity;
}

function endOf(state: NodeState | undefined): number {
  return state?.state === 'FINISHED' && state.finished_at ? Date.parse(state.finished_at) : Infinity;
}
