import { useEffect, useRef, useSyncExternalStore } from 'react';

/** Something that the screen lets be done now, for the palette. */
export interface Offer {
  key: string;
  label: string;
  run: () => void;
}

/** What one part of the screen offers, under the name of what it is done to. */
export interface Offered {
  title: string;
  offers: readonly Offer[];
}

const all = new Set<Offered>();
const listeners = new Set<() => void>();
let snapshot: readonly Offered[] = [];

function changed(): void {
  snapshot = [...all];
  for (const tell of listeners) tell();
}

/** Offers what can be done while the component is there. The functions may be new ones in each render. */
export function useOffers(title: string, offers: readonly Offer[]): void {
  const current = useRef(offers);
  useEffect(() => {
    current.current = offers;
  });
  const shape = JSON.stringify(offers.map(({ key, label }) => [key, label]));
  useEffect(() => {
    const shown = (JSON.parse(shape) as [string, string][]).map(([key, label]) => ({
      key,
      label,
      run: () => current.current.find((o) => o.key === key)?.run(),
    }));
    if (shown.length === 0) return;
    const offered = { title, offers: shown };
    all.add(offered);
    changed();
    return () => {
      all.delete(offered);
      changed();
    };
  }, [title, shape]);
}

function subscribe(tell: () => void): () => void {
  listeners.add(tell);
  return () => listeners.delete(tell);
}

/** What is offered now. */
export function useOffered(): readonly Offered[] {
  return useSyncExternalStore(subscribe, () => snapshot);
}
