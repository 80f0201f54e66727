/** Words of the area node. */
export const node = {
  'node.title': 'Node',
} as const;
