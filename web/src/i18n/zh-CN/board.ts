import type { board as en } from '../en/board';
import type { Same } from '../message';

export const board: Same<typeof en> = {
  'board.title': '看板',
};
