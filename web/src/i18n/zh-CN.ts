import type { Messages } from './message';
import { board } from './zh-CN/board';
import { common } from './zh-CN/common';
import { node } from './zh-CN/node';
import { signin } from './zh-CN/signin';
import { start } from './zh-CN/start';
import { state } from './zh-CN/state';
import { task } from './zh-CN/task';
import { tasks } from './zh-CN/tasks';
import { usual } from './zh-CN/usual';

/** All messages in Chinese. */
export const zhCN: Messages = {
  ...common,
  ...state,
  ...tasks,
  ...task,
  ...node,
  ...board,
  ...start,
  ...signin,
  ...usual,
};
