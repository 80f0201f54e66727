import type { BulkCommand, Task } from '../api';

/** The commands for many tasks at once; retry is for each failed node of them. */
export type BulkName = 'pause' | 'resume' | 'revoke' | 'retry';

export const bulkNames: readonly BulkName[] = ['pause', 'resume', 'revoke', 'retry'];

/** The most targets that the server takes at once. */
const mostTargets = 1000;

/** Whether the server would take the command for a task now. */
export function takes(task: Task, name: BulkName): boolean {
  if (name === 'retry') return (task.run?.failed?.length ?? 0) > 0 && task.state !== 'REVOKED';
  return task.run?.actions.includes(name) ?? false;
}

/** To what a command goes: the tasks that take it, or their failed nodes. */
export function bulkTargets(tasks: readonly Task[], name: BulkName): BulkCommand['targets'] {
  const able = tasks.filter((task) => takes(task, name));
  const targets =
    name === 'retry'
      ? able.flatMap((task) => (task.run?.failed ?? []).map((node) => ({ task: task.id, node: node.id })))
      : able.map((task) => ({ task: task.id }));
  return targets.slice(0, mostTargets);
}
