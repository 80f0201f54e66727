const listeners = new Set<() => void>();

/** Says that the server does not know the caller any more. */
export function signedOut(): void {
  for (const tell of listeners) tell();
}

/** Calls back when the server does not know the caller any more. */
export function onSignedOut(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}
