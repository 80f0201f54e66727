import type { task as en } from '../en/task';
import type { Same } from '../message';

export const task: Same<typeof en> = {
  'task.title': '任务',
};
