import { useSyncExternalStore } from 'react';
import type { NodeState, NodesNews, States as Snapshot, Task } from '../api';
import type { Tree } from './model';

/** What is known of the states of the nodes of a task, and how new each of it is. */
export interface Known {
  states: ReadonlyMap<number, NodeState>;
  /** At which revision of the task each node was last told of. */
  told: ReadonlyMap<number, number>;
}

export const nothing: Known = { states: new Map(), told: new Map() };

export interface News {
  revision: number;
  nodes: readonly NodeState[];
  /** Whether they are all that have a state. */
  all?: boolean;
}

/** Takes news of nodes in: of each node the newest counts, in whatever order they come. Gives the same where nothing is new. */
export function merge(known: Known, news: readonly News[]): Known {
  let states: Map<number, NodeState> | undefined;
  let told: Map<number, number> | undefined;
  const open = () => {
    states ??= new Map(known.states);
    told ??= new Map(known.told);
    return { states, told };
  };
  for (const { revision, nodes, all } of news) {
    for (const node of nodes) {
      const before = (told ?? known.told).get(node.index);
      if (before !== undefined && before > revision) continue;
      const same = equal((states ?? known.states).get(node.index), node);
      if (same && before === revision) continue;
      const to = open();
      if (!same) to.states.set(node.index, node);
      to.told.set(node.index, revision);
    }
    if (!all) continue;
    const there = new Set(nodes.map((n) => n.index));
    for (const index of [...(states ?? known.states).keys()]) {
      if (there.has(index) || ((told ?? known.told).get(index) ?? 0) > revision) continue;
      const to = open();
      to.states.delete(index);
      to.told.delete(index);
    }
  }
  if (!states || !told) return known;
  // Those who look at the states only see a new map when one of them is new.
  const changed = states.size !== known.states.size || [...states].some(([i, s]) => known.states.get(i) !== s);
  return { states: changed ? states : known.states, told };
}

function equal(a: NodeState | undefined, b: NodeState): boolean {
  if (!a) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof NodeState>;
  for (const key of keys) if (a[key] !== b[key]) return false;
  return true;
}

/** The newer one of two tellings of a task. */
export function newerTask(a: Task | undefined, b: Task): Task {
  if (!a || a.id !== b.id) return b;
  const newer = (a.run?.revision ?? -1) > (b.run?.revision ?? -1) ? a : b;
  // Only who asks for one task is told of its children, and they only become more.
  const [of, other] = newer === a ? [a, b] : [b, a];
  const more = (other?.children?.length ?? 0) > (of.children?.length ?? 0);
  // A task that was deleted is told of without its run, and stays deleted.
  const deleted = other?.deleted === true && !of.deleted;
  if (!more && !deleted) return of;
  return { ...of, ...(more && { children: other?.children }), ...(deleted && { deleted }) };
}

type Schedule = (flush: () => void) => void;

// Once per frame; where no frame is drawn, such as in a tab behind others, a little later.
const eachFrame: Schedule = (flush) => {
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    flush();
  };
  const timer = setTimeout(once, 250);
  requestAnimationFrame(once);
};

/** What each view of all nodes of a task is given. */
export interface ViewProps {
  tree: Tree;
  store: RunStore;
  /** The index of the node that is chosen, in all views. */
  selected: number | undefined;
  onSelect: (index: number) => void;
}

/** Keeps a task with the states of its nodes, and tells once per frame when they changed. */
export class RunStore {
  #known: Known = nothing;
  #task: Task | undefined;
  #news: News[] = [];
  #newTask: Task | undefined;
  #gone = false;
  #waiting = false;
  #listeners = new Set<() => void>();
  readonly #schedule: Schedule;

  constructor(schedule: Schedule = eachFrame) {
    this.#schedule = schedule;
  }

  /** How the task and all of its nodes stood at one moment. */
  snapshot(s: Snapshot): void {
    this.task(s.task);
    this.#news.push({ revision: s.task.run?.revision ?? 0, nodes: s.nodes, all: true });
    this.#later();
  }

  /** Some nodes that changed. */
  nodes(news: NodesNews): void {
    this.#news.push({ revision: news.revision, nodes: news.nodes });
    this.#later();
  }

  task(task: Task): void {
    this.#newTask = newerTask(this.#newTask, task);
    this.#later();
  }

  /** The task is not there any more. */
  gone(): void {
    this.#gone = true;
    this.#later();
  }

  #later(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#schedule(() => {
      this.#waiting = false;
      this.#known = merge(this.#known, this.#news.splice(0));
      if (this.#newTask) this.#task = newerTask(this.#task, this.#newTask);
      this.#newTask = undefined;
      for (const tell of this.#listeners) tell();
    });
  }

  subscribe = (tell: () => void): (() => void) => {
    this.#listeners.add(tell);
    return () => this.#listeners.delete(tell);
  };

  states = (): ReadonlyMap<number, NodeState> => this.#known.states;
  current = (): Task | undefined => this.#task;
  isGone = (): boolean => this.#gone;
}

export function useStates(store: RunStore): ReadonlyMap<number, NodeState> {
  return useSyncExternalStore(store.subscribe, store.states);
}

/** The state of one node: what shows it is rendered anew only when that changes. */
export function useNodeState(store: RunStore, index: number): NodeState | undefined {
  return useSyncExternalStore(store.subscribe, () => store.states().get(index));
}
