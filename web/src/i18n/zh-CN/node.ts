import type { node as en } from '../en/node';
import type { Same } from '../message';

export const node: Same<typeof en> = {};
