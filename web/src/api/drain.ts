import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
let draining = false;

function set(now: boolean): void {
  if (draining === now) return;
  draining = now;
  for (const tell of listeners) tell();
}

/** Notes that a server takes leave, and that one is there again. */
export const drain = {
  began: () => set(true),
  over: () => set(false),
  current: () => draining,
};

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

/** Whether the server has taken leave and none has answered since. */
export function useDraining(): boolean {
  return useSyncExternalStore(subscribe, drain.current);
}
