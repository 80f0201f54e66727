import { board } from './en/board';
import { common } from './en/common';
import { node } from './en/node';
import { signin } from './en/signin';
import { start } from './en/start';
import { state } from './en/state';
import { task } from './en/task';
import { tasks } from './en/tasks';
import { usual } from './en/usual';

/** All messages in English: what is said here, every language says. */
export const en = { ...common, ...state, ...tasks, ...task, ...node, ...board, ...start, ...signin, ...usual } as const;
