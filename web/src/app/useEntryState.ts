import { type Dispatch, type SetStateAction, useEffect, useState } from 'react';
import { useLocation } from 'react-router';

const most = 200; // values, a few for each entry

const kept = new Map<string, unknown>();

/**
 * State that stays with the entry of the history: whoever comes back to a screen by the browser finds it as it was left, until
 * the page is loaded again.
 */
export function useEntryState<T>(name: string, initial: T): [T, Dispatch<SetStateAction<T>>] {
  const entry = `${useLocation().key} ${name}`;
  const [at, setAt] = useState(entry);
  const [value, setValue] = useState(() => (kept.has(entry) ? (kept.get(entry) as T) : initial));
  // One entry of a screen leads to another of the same screen.
  if (at !== entry) {
    setAt(entry);
    if (kept.has(entry)) setValue(kept.get(entry) as T);
  }
  useEffect(() => {
    kept.delete(entry); // the one that was looked at last is kept longest
    kept.set(entry, value);
    const [oldest] = kept.keys();
    if (kept.size > most && oldest !== undefined) kept.delete(oldest);
  }, [entry, value]);
  return [value, setValue];
}

/** Whether nobody has gone anywhere on the page yet, so that the focus may be put where it was left. */
export function isUntouched(): boolean {
  const at = document.activeElement;
  return at === null || at === document.body || at.matches('main');
}
