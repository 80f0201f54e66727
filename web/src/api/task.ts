import type { Task } from './types';

/** Whether a task was started and has not ended. */
export function isUnderWay(task: Task): task is Task & { started_at: string } {
  return task.started_at !== undefined && task.finished_at === undefined;
}

/** Whether a task has ended, well or not: nothing goes on in it any more. */
export function hasEnded(task: Task): boolean {
  return task.state === 'FINISHED' || task.state === 'REVOKED';
}
