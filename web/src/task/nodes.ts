import type { NodeState } from '../api';
import type { Look } from '../ui';
import { around, lookOf, plainName, type States, type Tree } from './model';

export type Column = 'order' | 'name' | 'state' | 'elapsed' | 'attempts';

export interface Sorting {
  by: Column;
  down: boolean;
}

/** What the table shows: all looks when `look` is absent, all names when `text` is empty. */
export interface Wanted {
  look: Look | 'ACTIVE' | undefined;
  text: string;
}

// Those that need a person come first.
const urgency: readonly Look[] = [
  'FAILED',
  'SUSPENDED',
  'NODE_SUSPENDED',
  'RUNNING',
  'READY',
  'REVOKED',
  'CREATED',
  'SKIPPED',
  'FINISHED',
  'EXPIRED',
  'NONE',
];

/** How long a node has been at work in milliseconds, undefined before it started. */
export function elapsedOf(state: NodeState | undefined, now: number): number | undefined {
  if (!state?.started_at) return undefined;
  const end = state.finished_at ? Date.parse(state.finished_at) : now;
  return Math.max(0, end - Date.parse(state.started_at));
}

/** How often a node was tried. */
export function attemptsOf(state: NodeState | undefined): number {
  return state ? state.retry + 1 : 0;
}

/** Whether a node is one that a filter asks for. */
export function isWanted(look: Look, name: string, plugin: string | undefined, wanted: Wanted): boolean {
  if (wanted.look === 'ACTIVE') {
    if (!['FAILED', 'RUNNING', 'READY', 'SUSPENDED', 'NODE_SUSPENDED'].includes(look)) return false;
  } else if (wanted.look && wanted.look !== look) return false;
  const text = wanted.text.trim().toLowerCase();
  return text === '' || name.toLowerCase().includes(text) || (plugin ?? '').toLowerCase().includes(text);
}

/** The nodes that are asked for, in the order that is asked for; equals stay in order of execution. */
export function tableRows(
  tree: Tree,
  states: States,
  wanted: Wanted,
  sorting: Sorting,
  compare: (a: string, b: string) => number,
  now: number,
): number[] {
  const rows = tree.order.filter((index) => {
    const node = tree.node.get(index);
    return node && isWanted(lookOf(states.get(index)), node.name, node.plugin, wanted);
  });
  if (sorting.by !== 'order') {
    const keys = new Map(rows.map((index) => [index, sortKey(tree, states, index, sorting.by, now)]));
    rows.sort((a, b) => {
      const [x, y] = [keys.get(a), keys.get(b)];
      // Without a value it stands at the end, whichever way.
      if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
      const order = typeof x === 'string' && typeof y === 'string' ? compare(x, y) : Number(x) - Number(y);
      return sorting.down ? -order : order;
    });
  } else if (sorting.down) rows.reverse();
  return rows;
}

function sortKey(tree: Tree, states: States, index: number, by: Column, now: number): string | number | undefined {
  const state = states.get(index);
  switch (by) {
    case 'name':
      return tree.node.get(index)?.name ?? '';
    case 'state':
      return urgency.indexOf(lookOf(state));
    case 'elapsed':
      return elapsedOf(state, now);
    case 'attempts':
      return attemptsOf(state);
    default:
      return 0;
  }
}

/** Where a node is: the names of the subprocesses around it. */
export function pathOf(tree: Tree, index: number, most = 3): string {
  const names = around(tree, index).map((i) => plainName(tree.node.get(i)?.name ?? '', 40));
  return (names.length > most ? ['…', ...names.slice(-most)] : names).join(' / ');
}
