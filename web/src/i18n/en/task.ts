/** Words of the area task. */
export const task = {
  'task.title': 'Task',
} as const;
