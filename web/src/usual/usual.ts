import { type Durations, isUnderWay, type NodeDurations, type Task } from '../api';

/** What is known of how long the tasks of a tree take, ready to be asked about nodes. */
export interface Usual {
  tree: string;
  /** Tasks that it is known from. */
  runs: number;
  /** Milliseconds, as all that follow. */
  median: number;
  p95: number;
  nodes: ReadonlyMap<number, { median: number; rest: number }>;
}

/** Makes it of an answer; nothing where the server found too few tasks. */
export function usualOf(answer: Durations): Usual | undefined {
  if (answer.runs === 0) return undefined;
  const node = (n: NodeDurations) => [n.index, { median: n.median_s * 1000, rest: n.rest_s * 1000 }] as const;
  return {
    tree: answer.tree,
    runs: answer.runs,
    median: answer.median_s * 1000,
    p95: answer.p95_s * 1000,
    nodes: new Map(answer.nodes.map(node)),
  };
}

/** How long a task takes as a whole, which is all that a list is told. */
export type UsualTask = Pick<Usual, 'runs' | 'median' | 'p95'>;

/** What a list of slow tasks tells of how long they usually take, by `usualKey`. */
export function usualsOf(tasks: Iterable<Task>): Map<string, UsualTask> {
  const usuals = new Map<string, UsualTask>();
  for (const task of tasks) {
    const { usual } = task;
    if (!usual) continue;
    usuals.set(usualKey(task), { runs: usual.runs, median: usual.median_s * 1000, p95: usual.p95_s * 1000 });
  }
  return usuals;
}

/** Whether a task is under way for longer than 95 of 100 such tasks took. */
export function isSlow(task: Task, usual: UsualTask | undefined, now: number): boolean {
  if (!usual || !isUnderWay(task)) return false;
  return now - Date.parse(task.started_at) > usual.p95;
}

/** When a task may be expected to end. */
export interface Expected {
  from: number;
  to: number;
  /** It has run longer than 95 of 100 do. */
  late: boolean;
}

/**
 * When a task will end if it goes on as usual: from the median to what 95 of 100 do not exceed, counted from its start; and
 * not before what usually follows behind the nodes that are at work. Nothing of a task that waits for a person, because
 * nobody knows when one comes.
 */
export function expectedEnd(task: Task, usual: Usual | undefined, now: number): Expected | undefined {
  const { run } = task;
  if (!usual || !run || run.tree !== usual.tree || !isUnderWay(task)) return undefined;
  if (run.phase !== 'running' && run.phase !== 'queued') return undefined;
  if (run.failed_count > 0 || run.paused_count > 0) return undefined;
  const start = Date.parse(task.started_at);
  let rest = 0;
  for (const { index } of run.running ?? []) rest = Math.max(rest, usual.nodes.get(index)?.rest ?? 0);
  const from = Math.max(start + usual.median, now + rest);
  return { from, to: Math.max(start + usual.p95, from), late: now > start + usual.p95 };
}

/** When several tasks will all have ended. */
export interface ExpectedOfAll {
  /** Of those that are not late; absent where nothing is known of any. */
  band: Expected | undefined;
  /** How many are known of, and of how many that run. */
  known: number;
  of: number;
  late: number;
}

/** Puts together what is expected of the tasks that run: the last of them decides. When one ends that is late, nobody can say. */
export function expectedOfAll(
  tasks: Iterable<Task>,
  usualOf: (task: Task) => Usual | undefined,
  now: number,
): ExpectedOfAll {
  const all: ExpectedOfAll = { band: undefined, known: 0, of: 0, late: 0 };
  for (const task of tasks) {
    if (!isUnderWay(task)) continue;
    all.of++;
    const one = expectedEnd(task, usualOf(task), now);
    if (!one) continue;
    all.known++;
    if (one.late) {
      all.late++;
      continue;
    }
    const before = all.band ?? one;
    all.band = { from: Math.max(before.from, one.from), to: Math.max(before.to, one.to), late: false };
  }
  return all;
}

/** The most trees of a board that are asked about. */
export const mostTrees = 20;

/** A task for each tree that tasks under way have, those of the most tasks first; `key` names what they share. */
export function treesOf(tasks: Iterable<Task>): { key: string; task: number }[] {
  const found = new Map<string, { key: string; task: number; sharing: number }>();
  for (const task of tasks) {
    const key = usualKey(task);
    if (!key || !isUnderWay(task)) continue;
    const known = found.get(key);
    if (known) known.sharing++;
    else found.set(key, { key, task: task.id, sharing: 1 });
  }
  return [...found.values()].sort((a, b) => b.sharing - a.sharing || a.task - b.task).slice(0, mostTrees);
}

/** Names the tasks that are told the same: those of one flow with one tree. */
export function usualKey(task: Task): string {
  return task.run?.tree ? `${task.flow ?? 0}/${task.run.tree}` : '';
}
