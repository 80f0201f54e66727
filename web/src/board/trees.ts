import type { Item } from './model';

/** A tree that tasks of the board share, for a choice among several. */
export interface Tree {
  tree: string;
  /** The stored flow that its tasks were made from, if they were. */
  flow: number | undefined;
  /** One of its tasks: what has the graph, and the name of what belongs to no flow. */
  task: number;
  name: string;
  tasks: number;
  failing: number;
}

/** Gives the trees of tasks, those first in which the most have failed, then those that the most share. */
export function treesOf(items: Iterable<Item>): Tree[] {
  const trees = new Map<string, Tree>();
  for (const { task, name } of items) {
    const tree = task.run?.tree;
    if (!tree) continue; // it cannot be read
    const failing = task.state === 'FAILED' ? 1 : 0;
    const known = trees.get(tree);
    if (!known) trees.set(tree, { tree, flow: task.flow, task: task.id, name, tasks: 1, failing });
    else {
      known.tasks++;
      known.failing += failing;
      // Which task stands for the others does not depend on the order in which they are looked at.
      if (task.id < known.task) Object.assign(known, { task: task.id, name, flow: task.flow });
    }
  }
  return [...trees.values()].sort((a, b) => b.failing - a.failing || b.tasks - a.tasks || a.task - b.task);
}

/**
 * Finds the tree that is shown: the one that was asked for, else the one that was shown before, so that a failure elsewhere
 * takes nothing away from under the eyes, else the first.
 */
export function chosenTree(trees: readonly Tree[], asked: string | null, before: string | undefined): Tree | undefined {
  return trees.find((t) => t.tree === asked) ?? trees.find((t) => t.tree === before) ?? trees[0];
}
