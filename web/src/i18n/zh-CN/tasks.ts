import type { tasks as en } from '../en/tasks';
import type { Same } from '../message';

export const tasks: Same<typeof en> = {
  'tasks.title': '任务列表',
};
