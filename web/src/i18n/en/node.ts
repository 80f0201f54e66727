/** Words of the area node. */
export const node = {} as const;
