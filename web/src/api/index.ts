export { api } from './calls';
export { serverClock, useServerNow, useSkew } from './clock';
export { ApiError, type ErrorCode } from './error';
export { apiURL } from './http';
export { onSignedOut } from './lost';
export type * from './types';
export { taskStates } from './types';
export { useWatch } from './useWatch';
export type { Feed } from './watch';
