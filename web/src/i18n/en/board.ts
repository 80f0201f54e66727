/** Words of the area board. */
export const board = {
  'board.title': 'Board',
} as const;
