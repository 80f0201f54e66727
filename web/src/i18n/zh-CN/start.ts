import type { start as en } from '../en/start';
import type { Same } from '../message';

export const start: Same<typeof en> = {
  'start.title': '启动任务',
};
