import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'light' | 'dark';

const kept = 'stdops.theme'; // public/theme.js reads it before anything is painted
const listeners = new Set<() => void>();

function theme(): Theme {
  const set = document.documentElement.dataset.theme;
  return set === 'light' || set === 'dark' ? set : 'system';
}

export function setTheme(chosen: Theme): void {
  if (chosen === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  try {
    if (chosen === 'system') localStorage.removeItem(kept);
    else localStorage.setItem(kept, chosen);
  } catch {
    // It holds until the page is closed, then.
  }
  for (const tell of listeners) tell();
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, theme);
}
