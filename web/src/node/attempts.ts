import type { Attempt, Graph, GraphNode, Json, NodeDetail, NodeState, Timing, Why } from '../api';
import type { Look } from '../ui';
import { beginning } from './odd';

/** One attempt of a node as it is shown, earlier or current. */
export interface AttemptView {
  /** Its number in this loop, from 1. */
  number: number;
  current: boolean;
  state: NodeDetail['state'];
  skipped: boolean;
  ignored: boolean;
  version?: string;
  started?: string;
  finished?: string;
  elapsed: number;
  timing: Timing | undefined;
  error: string;
  inputs: Json;
  outputs: { key: string; name?: string; value: Json }[];
}

/** The attempts of the loop that a detail is about, oldest first; the current one is the last. */
export function attemptsOf(detail: NodeDetail): AttemptView[] {
  return [
    ...detail.attempts.map((a, i) =>
      viewOf(a, {
        number: i + 1,
        current: false,
        outputs: isObject(a.outputs) ? Object.entries(a.outputs).map(([key, value]) => ({ key, value })) : [],
      }),
    ),
    viewOf(detail, { number: detail.attempts.length + 1, current: true, outputs: detail.outputs }),
  ];
}

function viewOf(a: Attempt | NodeDetail, rest: Pick<AttemptView, 'number' | 'current' | 'outputs'>): AttemptView {
  return {
    ...rest,
    state: a.state,
    skipped: a.skipped ?? false,
    ignored: a.error_ignored ?? false,
    version: a.version,
    started: a.started_at,
    finished: a.finished_at,
    elapsed: a.elapsed_s,
    timing: a.timing,
    error: a.error ?? '',
    inputs: a.inputs,
  };
}

export function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** How a node or an attempt looks. */
export function lookOf(of: { state: NodeDetail['state']; skipped?: boolean; version?: string; phase?: string }): Look {
  if (of.skipped) return 'SKIPPED';
  if (of.state === 'CREATED' && !of.version && of.phase !== 'appointed') return 'NONE';
  return of.state;
}

/** What of a node says that its detail has changed. */
export function changeMark(state: NodeState | undefined): string {
  if (!state) return '';
  const { version, phase, loop, retry, skipped, error_ignored, finished_at, due_at } = state;
  return JSON.stringify([state.state, version, phase, loop, retry, skipped, error_ignored, finished_at, due_at]);
}

// The state beside it says the same.
const saidByState: readonly Why['code'][] = ['failed', 'node_paused'];

/** Why a node stands as it does, below its name: that is not said again, and nothing that its state says. */
export function ownWhy(detail: NodeDetail): Why | undefined {
  const { why } = detail;
  if (why?.node && why.node.id !== detail.id)
    return { ...why, node: { ...why.node, name: beginning(why.node.name, 120) } };
  return why && !saidByState.includes(why.code) ? { ...why, node: undefined } : undefined;
}

/** The subprocesses around a node, outermost first. */
export function aroundOf(graph: Graph, index: number): GraphNode[] {
  const by = new Map(graph.nodes.map((n) => [n.index, n]));
  const around: GraphNode[] = [];
  let parent = by.get(index)?.parent ?? 0;
  while (parent !== 0 && around.length < by.size) {
    const node = by.get(parent);
    if (!node) break;
    around.unshift(node);
    parent = node.parent;
  }
  return around;
}

/**
 * Which branches of a gateway were taken: those that lead to a node which was reached. Undefined while it has not
 * chosen; where branches meet again at once, what the next node says counts for both.
 */
export function takenBranches(
  graph: Graph,
  states: ReadonlyMap<number, NodeState>,
  index: number,
): Set<number> | undefined {
  const own = states.get(index);
  if (own?.state !== 'FINISHED') return undefined;
  const taken = new Set<number>();
  for (const edge of graph.edges) {
    if (edge.from !== index) continue;
    const next = states.get(edge.to);
    if (next?.started_at) taken.add(edge.to);
  }
  return taken;
}

/** The inputs before rendering beside what became of them. */
export interface InputRow {
  key: string;
  template?: Json;
  rendered?: Json;
}

// The engine gives each node how often it was entered: its loop is told among the facts.
const countsOfLoops: ReadonlySet<string> = new Set(['_loop', '_inner_loop']);

export function inputRows(templates: Json | undefined, rendered: Json): InputRow[] {
  const [left, right] = [isObject(templates) ? templates : {}, isObject(rendered) ? rendered : {}];
  const rows: InputRow[] = Object.keys(left).map((key) => ({
    key,
    template: left[key],
    ...(Object.hasOwn(right, key) && { rendered: right[key] }),
  }));
  for (const key of Object.keys(right)) {
    if (!Object.hasOwn(left, key) && !countsOfLoops.has(key)) rows.push({ key, rendered: right[key] });
  }
  return rows;
}
