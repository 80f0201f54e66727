/** Words of the area start. */
export const start = {
  'start.title': 'Start a task',
} as const;
