import type { NodeState, TaskEvent } from '../api';
import { isActivity, isSubprocess, type States, type Tree } from './model';

/** What a node did or waited for during a piece of time. */
export type PieceKind = 'queued' | 'ran' | 'waited' | 'callback' | 'person' | 'child' | 'paused' | 'failed' | 'idle';

export interface Piece {
  kind: PieceKind;
  from: number;
  /** Absent while it goes on. */
  to: number | undefined;
  /** It ended in a failure. */
  broke?: boolean;
  /** Of a piece in which nothing was done, what it was waited for, where that is known. */
  gap?: 'paused' | 'round';
}

/** From when to when something was so. */
export interface Interval {
  from: number;
  /** Absent while it goes on. */
  to: number | undefined;
}

export interface Lane {
  index: number;
  level: number;
  /** Of a subprocess, whether its lanes are shown. */
  open: boolean | undefined;
  start: number;
  pieces: readonly Piece[];
}

/** The most pieces that a lane shows: a node that is entered in a loop may have any number. */
export const mostPieces = 200;

/** From the events of a task, the oldest first, what each node did when. */
export function piecesOf(events: readonly TaskEvent[], tree: Tree, states: States): Map<number, Piece[]> {
  const all = new Map<number, Piece[]>();
  for (const event of events) {
    const at = Date.parse(event.at);
    if (event.index === 0 || event.from === event.to || Number.isNaN(at)) continue;
    const pieces = all.get(event.index) ?? [];
    if (pieces.length === 0) all.set(event.index, pieces);
    const last = pieces.at(-1);
    if (last && last.to === undefined) {
      last.to = at;
      if (event.to === 'FAILED') last.broke = true;
    }
    const kind = kindOf(event.to, tree.node.get(event.index)?.plugin);
    if (!kind) continue;
    // A pause of nothing in the same moment is no piece.
    if (last && last.from === last.to && last.kind === kind) pieces.pop();
    pieces.push({ kind, from: at, to: undefined });
  }
  for (const [index, pieces] of all) {
    const last = pieces.at(-1);
    if (last && last.to === undefined) settle(last, states.get(index));
    cutQueue(pieces, states.get(index));
    if (pieces.length > mostPieces) pieces.splice(0, pieces.length - mostPieces);
  }
  return all;
}

// Plugins that do nothing but wait.
const waitsBy: Readonly<Record<string, PieceKind>> = {
  pause_node: 'person',
  sleep_timer: 'waited',
  callback_node: 'callback',
  subprocess_plugin: 'child',
};

/** When the task as a whole was paused, from its events, the oldest first. */
export function pausesOf(events: readonly TaskEvent[]): Interval[] {
  const all: Interval[] = [];
  for (const event of events) {
    const at = Date.parse(event.at);
    if (event.index !== 0 || Number.isNaN(at)) continue;
    const last = all.at(-1);
    if (last && last.to === undefined) last.to = at;
    if (event.to === 'SUSPENDED') all.push({ from: at, to: undefined });
  }
  return all;
}

function kindOf(to: string, plugin: string | undefined): PieceKind | undefined {
  switch (to) {
    case 'READY':
      return 'queued';
    case 'RUNNING':
      return waitsBy[plugin ?? ''] ?? 'ran';
    case 'SUSPENDED':
    case 'NODE_SUSPENDED':
      return 'paused';
    case 'FAILED':
      return 'failed';
    default:
      return undefined;
  }
}

// How a node stands tells more of the piece that goes on than its events do.
function settle(piece: Piece, state: NodeState | undefined): void {
  if (!state) return;
  if (state.finished_at && state.state !== 'FAILED') {
    piece.to = Math.max(piece.from, Date.parse(state.finished_at));
    return;
  }
  if (state.state !== 'RUNNING') return;
  if (state.phase === 'queued') piece.kind = 'queued';
  else if (piece.kind === 'ran' && state.phase === 'waiting') piece.kind = state.due_at ? 'waited' : 'callback';
}

// A shorter wait for a slot is none.
const leastQueue = 1000;

// How long the current attempt stood in the queue, before the piece in which it was called. Of earlier ones only their own
// details tell it.
function cutQueue(pieces: Piece[], state: NodeState | undefined): void {
  if (!state?.started_at || !state.called_at) return;
  const from = Date.parse(state.started_at);
  const called = Date.parse(state.called_at);
  if (called - from < leastQueue) return;
  const at = pieces.length - 1 - [...pieces].reverse().findIndex((p) => p.from === from && begins(p.kind));
  const piece = pieces[at];
  if (!piece || (piece.to !== undefined && piece.to < called)) return;
  const before = pieces[at - 1];
  // A retry that began at once has a piece of nothing there.
  const count = before?.kind === 'queued' && before.from === from ? 1 : 0;
  pieces.splice(at - count, 1 + count, { kind: 'queued', from, to: called }, { ...piece, from: called });
}

function begins(kind: PieceKind): boolean {
  return kind !== 'queued' && kind !== 'paused' && kind !== 'failed' && kind !== 'idle';
}

/** Pieces of the nodes of which no event is known, from their states alone. */
function fromState(state: NodeState | undefined, plugin: string | undefined): Piece[] {
  if (!state?.started_at) return [];
  const kind = kindOf('RUNNING', plugin) ?? 'ran';
  const piece: Piece = {
    kind,
    from: Date.parse(state.started_at),
    to: state.finished_at ? Date.parse(state.finished_at) : undefined,
    broke: state.state === 'FAILED',
  };
  if (piece.to === undefined) settle(piece, state);
  const pieces = [piece];
  cutQueue(pieces, state);
  return pieces;
}

/**
 * The lanes in order of start, those of a subprocess below it. Nodes that did no work have none, unless they FAILED. A piece
 * of the kind idle stands where a node began later than what leads to it had ended, by at least `threshold` milliseconds.
 */
export function lanesOf(
  tree: Tree,
  states: States,
  known: ReadonlyMap<number, readonly Piece[]>,
  closed: ReadonlySet<number>,
  threshold: number,
  pauses: readonly Interval[] = [],
): Lane[] {
  const lanes: Lane[] = [];
  const gaps = (index: number, pieces: readonly Piece[]) =>
    withGaps(pieces, endBefore(tree, states, index), threshold).map((p) =>
      p.kind === 'idle' ? reasoned(p, pauses) : p,
    );
  const enter = (parent: number, level: number) => {
    const here: Lane[] = [];
    for (const index of tree.children.get(parent) ?? []) {
      const node = tree.node.get(index);
      const state = states.get(index);
      if (!node || (!isActivity(node) && !isSubprocess(node) && state?.state !== 'FAILED')) continue;
      const own = known.get(index);
      const pieces = own && own.length > 0 ? own : fromState(state, node.plugin);
      const first = pieces[0];
      if (!first) continue;
      const open = tree.children.has(index) ? !closed.has(index) : undefined;
      here.push({ index, level, open, start: first.from, pieces: gaps(index, pieces) });
    }
    here.sort((a, b) => a.start - b.start || (tree.place.get(a.index) ?? 0) - (tree.place.get(b.index) ?? 0));
    for (const lane of here) {
      lanes.push(lane);
      if (lane.open && level < 100) enter(lane.index, level + 1);
    }
  };
  enter(0, 1);
  return lanes;
}

// When the last of what leads to a node had ended.
function endBefore(tree: Tree, states: States, index: number): number {
  let before = -Infinity;
  for (const edge of tree.into.get(index) ?? []) {
    const end = states.get(edge.from)?.finished_at;
    if (end) before = Math.max(before, Date.parse(end));
  }
  return before;
}

function withGaps(pieces: readonly Piece[], before: number, threshold: number): readonly Piece[] {
  const result: Piece[] = [];
  const first = pieces[0];
  if (first && before > -Infinity && before < first.from && first.from - before >= threshold) {
    result.push({ kind: 'idle', from: before, to: first.from });
  }
  for (const piece of pieces) {
    const last = result.at(-1);
    if (last?.to !== undefined && piece.from - last.to >= threshold) {
      result.push({ kind: 'idle', from: last.to, to: piece.from, gap: 'round' });
    }
    result.push(piece);
  }
  return result;
}

// A gap that lies in pauses of the task for more than half of its length is one for that reason.
function reasoned(piece: Piece, pauses: readonly Interval[]): Piece {
  const to = piece.to ?? Infinity;
  let paused = 0;
  for (const p of pauses) paused += Math.max(0, Math.min(to, p.to ?? Infinity) - Math.max(piece.from, p.from));
  return paused * 2 > to - piece.from ? { ...piece, gap: 'paused' } : piece;
}

const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400].map(
  (s) => s * 1000,
);

/** The distance of the marks of an axis, so that they are `apart` pixels from each other at least. */
export function tickStep(perPixel: number, apart: number): number {
  const least = perPixel * apart;
  return steps.find((s) => s >= least) ?? Math.ceil(least / 86_400_000) * 86_400_000;
}
