/** Words of the area tasks. */
export const tasks = {
  'tasks.title': 'Tasks',
} as const;
