import type { TaskState } from '../api';

/** How far a bar of `total` is filled: what a finished task did not need, such as a branch not taken, is not missing from it. */
export function barOf(state: TaskState, done: number, total: number): number {
  return state === 'FINISHED' ? total : done;
}
